// Asking the server. Every failure is a Problem: one sentence for people, and a code to quote.

const PATIENCE_MS = 20_000;

/** A request that failed. `status` 0 means that no answer came. `body` is the problem document (RFC 9457), where there is one. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }

  /** For the telephone: what the server said, in short. */
  get code() {
    if (this.status === 0) return "no answer";
    return [this.status > 0 ? this.status : "", this.body.code ?? this.body.title].filter(Boolean).join(" ");
  }
}

/** `/path?query` with undefined, null and empty values left out. */
export function address(path, query = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, value);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

/**
 * The Response of a GET (or of `options`, as fetch has them), or a thrown Problem. An aborted request throws its AbortError.
 * `patienceMs`: how long an answer may take.
 */
export async function request(url, { signal, patienceMs = PATIENCE_MS, ...options } = {}) {
  const patience = AbortSignal.timeout(patienceMs);
  const signals = signal ? [signal, patience] : [patience];
  let response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.any(signals) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0);
  }
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
  return response;
}

/** The JSON of a GET below /api/v1 (or of an absolute path). */
export async function get(path, query, options) {
  const url = path.startsWith("/") ? path : `/api/v1/${path}`;
  const response = await request(address(url, query), options);
  return response.json();
}

/** A write below /api/v1; the JSON of its answer, null where it has none. `body` undefined: none is sent. `options` as of `request`. */
export async function send(method, path, body, query, options) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await request(address(`/api/v1/${path}`, query), { method, headers, body: text, ...options });
  return response.status === 204 ? null : response.json();
}

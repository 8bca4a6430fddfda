// What the server says of a camera's fields and of a sheet's rows, in Hindi: it speaks English. What is not known here is shown as it came.
import { language, t } from "./i18n.js";

/** [pattern, key below "import.said_"]; the pattern's groups are {a}, {b}, {c} of the text. */
const SAID = [
  [/^is missing$/, "missing"],
  [/^is missing: a new camera needs one$/, "url_missing"],
  [/^belongs to an archived camera$/, "archived"],
  [/^latitude and longitude are swapped \((.+), (.+)\)$/, "swapped"],
  [/^the place (.+), (.+) lies outside of the city$/, "outside"],
  [/^holds another login than the columns for it$/, "two_logins"],
  [/^leads to another host than before$/, "other_host"],
  [/^row (\d+) has the same code$/, "same_code"],
  [/^row (\d+) \((.*)\) has the same URL$/, "same_url_row"],
  [/^camera (.+) has the same URL$/, "same_url"],
  [/^stands where (.+) stands and looks the same way$/, "same_place"],
  [/^is registered already, with another (.+)$/, "registered"],
  [/^another login is registered$/, "other_login"],
  [/^(.+) is no number$/, "no_number"],
  [/^(.+) is a latitude$/, "is_latitude"],
  [/^(.+) is a longitude$/, "is_longitude"],
  [/^(.+) is no place in degrees$/, "no_degrees"],
  [/^(.+) is no pair of latitude and longitude$/, "no_pair"],
  [/^(.+) is nothing that a camera covers: did you mean (.+)\?$/, "no_covers_near"],
  [/^(.+) is nothing that a camera covers$/, "no_covers"],
  [/^(.+) is none of the kinds of owners: did you mean (.+)\?$/, "no_kind_near"],
  [/^(.+) is none of the kinds of owners$/, "no_kind"],
  [/^(.+) is neither yes nor no$/, "no_yes"],
  [/^code has 1 to 64 of the characters/, "code"],
  [/^\w+ has at most (\d+) characters$/, "too_long"],
  [/^\w+ has control characters or is no valid text$/, "control"],
  [/^mac has six pairs/, "mac"],
  [/^audio is one of (.+)$/, "one_of"],
  [/^a camera has at most (\d+) tags$/, "tags"],
  [/^\w+ is a number of degrees/, "degrees"],
  [/^(?:lat|lon) is missing/, "half_place"],
  [/^a camera's URL starts with rtsp/, "url_scheme"],
  [/^a camera's URL must not lead to /, "url_forbidden"],
  [/^the port of a camera's URL/, "url_port"],
  [/^the IPv[46] address in the camera's URL cannot be read$/, "url_address"],
  [/^a camera's URL has plain ASCII letters/, "url_letters"],
  [/^write the value itself$/, "mend_value"],
  [/^give each camera a code of its own$/, "mend_code"],
  [/^bring that camera back first, or give another code$/, "mend_archived"],
  [/^write rtsp:\/\/host\[:port\]\/path$/, "mend_url"],
  [/^write latitude (.+), longitude (.+)$/, "mend_swapped"],
  [/^the city lies between latitude (.+) and (.+), longitude (.+) \(registry\.city\)$/, "mend_outside"],
  [/^give user and password in one place$/, "mend_one_login"],
  [/^give user and password of that host too$/, "mend_other_host"],
  [/^each camera has a URL of its own/, "mend_same_url"],
  [/^allow changes, or take the row away$/, "mend_registered"],
  [/^allow changes, or leave user and password empty$/, "mend_other_login"],
  [/^write one of: (.+)$/, "mend_one_of"],
];

/** The server's words in the viewer's language. */
export function saidText(text) {
  if (language.value !== "hi" || !text) return text ?? "";
  for (const [pattern, key] of SAID) {
    const found = pattern.exec(text);
    if (found) return t(`import.said_${key}`, { a: found[1], b: found[2], c: found[3] });
  }
  return text;
}

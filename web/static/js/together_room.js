// Cameras on one clock: who follows it, when it waits for whom, and what a viewer can do. No markup.
import { effect, signal } from "@preact/signals";
import { SharedClock, RATES } from "./together_clock.js";
import { Follower } from "./together_follower.js";

const FOLLOW_MS = 60;
/** The clock waits for a picture no longer than this; then it goes on without it until it has caught up. */
const PATIENCE_MS = 6000;
/** The clock is shown this often. */
const TOLD_MS = 50;

export class Room {
  clock;
  /** One for each camera, in their order. */
  followers;
  /** Index of the one that is enlarged, or null. */
  big = signal(null);
  /** Index of the one that is heard, or null. */
  heard = signal(null);
  /** Milliseconds between the earliest and the latest picture, null where fewer than two move. */
  apart = signal(null);

  #waitingSince = null;
  #given = false; // patience ran out: go on without the late ones
  #told = 0;

  constructor(ids, at) {
    this.clock = new SharedClock(at);
    this.followers = ids.map((id) => new Follower(id, this.clock));
    this.clock.play();
  }

  /** Follows until the returned function is called. */
  start() {
    let frame = 0;
    let last = 0;
    const step = (now) => {
      frame = requestAnimationFrame(step);
      if (now - last < FOLLOW_MS) return;
      last = now;
      this.#follow(now);
    };
    // A hidden page gets no frames: its clock stands rather than running away from videos that a browser may stop.
    const hidden = () => document.hidden && this.clock.pause();
    const stop = effect(() => {
      void this.clock.rate.value;
      for (const follower of this.followers) follower.setRate(this.clock.rate.value);
    });
    document.addEventListener("visibilitychange", hidden);
    frame = requestAnimationFrame(step);
    return () => {
      stop();
      cancelAnimationFrame(frame);
      document.removeEventListener("visibilitychange", hidden);
    };
  }

  #follow(now) {
    for (const follower of this.followers) follower.follow();
    this.#wait(now);
    if (now - this.#told < TOLD_MS) return;
    this.#told = now;
    this.clock.tick();
    const ahead = this.followers.map((follower) => follower.ahead.value).filter((ms) => ms !== null);
    this.apart.value = ahead.length > 1 ? Math.max(...ahead) - Math.min(...ahead) : null;
  }

  /** Lets the clock stand while a picture is awaited. */
  #wait(now) {
    const late = this.clock.playing.value && this.followers.some((follower) => !follower.ready);
    if (!late) {
      this.#waitingSince = null;
      this.#given = false;
    } else if (this.#waitingSince === null) this.#waitingSince = now;
    else if (now - this.#waitingSince > PATIENCE_MS) this.#given = true;
    this.clock.hold(late && !this.#given);
  }

  // ---- what a viewer asks for

  seek = (ms) => {
    this.#waitingSince = null;
    this.#given = false;
    this.clock.jump(ms);
  };

  toggle = () => (this.clock.playing.value ? this.clock.pause() : this.clock.play());

  shift = (by) => {
    const rate = RATES[RATES.indexOf(this.clock.rate.value) + by];
    if (rate) this.clock.setRate(rate);
  };

  /** By the shortest frame of all. */
  step = (direction) => {
    this.clock.pause();
    this.seek(this.clock.now() + direction * Math.min(...this.followers.map((follower) => follower.frameMs)));
  };

  enlarge = (index) => {
    if (index === null || index < this.followers.length) this.big.value = this.big.value === index ? null : index;
  };

  hear = (index) => (this.heard.value = this.heard.value === index ? null : index);
}

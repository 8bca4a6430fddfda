// Tells which frame of a <video> is on the screen, and how long a frame of this camera lasts.

export class ShownFrames {
  /** Media time (s) of the frame on the screen. */
  mediaTime = 0;
  /** Length of a frame, s; learned while it plays at its own speed. */
  frameS = 1 / 25;

  /** Calls `shown(mediaTime)` for every frame that appears. Returns the way to stop. */
  watch(video, shown) {
    let handle = null;
    let stopped = false;
    const see = (media) => {
      this.mediaTime = media;
      shown(media);
    };
    const next = () => {
      handle = video.requestVideoFrameCallback((_, frame) => {
        const passed = frame.mediaTime - this.mediaTime;
        if (!video.paused && video.playbackRate === 1 && passed > 0.004 && passed < 0.25) this.frameS = passed;
        see(frame.mediaTime);
        if (!stopped) next();
      });
    };
    const precise = Boolean(video.requestVideoFrameCallback);
    // A hidden page gets no frames, but its playback goes on over gaps and edges.
    const rough = () => (document.hidden || !precise) && see(video.currentTime);
    // After a seek the frame itself has told its time, but for a browser that tells none.
    const near = () => Math.abs(video.currentTime - this.mediaTime) < 1.6 * this.frameS;
    const seeked = () => see(precise && near() ? this.mediaTime : video.currentTime);
    video.addEventListener("timeupdate", rough);
    video.addEventListener("seeked", seeked);
    if (precise) next();
    return () => {
      stopped = true;
      if (precise) video.cancelVideoFrameCallback(handle);
      video.removeEventListener("timeupdate", rough);
      video.removeEventListener("seeked", seeked);
    };
  }
}

"""Is what ffmpeg writes alive and true? A judgement of the looks at one run's growing file. Pure.

A recorder is healthy when its newest footage is young, not when a process exists. Media time is held against wall time:
network delay only makes footage late, so media time that runs ahead is a jump at once, media time that falls behind is one
when the next look, seconds later, does not see it catching up.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.model import FileGrowth

STALL_US = 10_000_000
STALL_FRAGMENTS = 3
JUMP_US = 2_000_000
NO_INIT_AUDIO_US = 12_000_000  # 8 s after the first video could have come; connecting takes up to 4
NO_INIT_US = 20_000_000
NO_FRAGMENT_US = 45_000_000  # the longest keyframe interval of smart codecs is 20 s
NO_CUT_US = 600_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """End the run for this cause."""

    cause: str
    detail: str


@dataclass(slots=True)
class RunWatch:
    """One run, judged look by look. `started_us`: when it was started or adopted. `audio`: an audio track is mapped."""

    started_us: int
    audio: bool
    recording: bool = False  # footage has been seen to grow
    newest_us: int | None = None  # wall time of the last write that brought footage
    suspicious: bool = False  # look again soon
    _best_offset_us: int | None = None
    _last_offset_us: int | None = None
    _last: FileGrowth | None = None
    _file_since_us: int = 0
    _longest_us: int = 0
    _parameters: int = 0
    _other_parameters: int = 0

    def look(self, growth: FileGrowth | None, now_us: int) -> Verdict | None:
        """`growth`: of the run's newest file; None while it has none."""
        self.suspicious = False
        if growth is None or not growth.has_init:
            return self._before_init(now_us) if self._last is None else self._stalled(now_us)
        previous, self._last = self._last, growth
        cut = previous is None or growth.n != previous.n
        if cut:
            self._file_since_us = now_us
        self._longest_us = max(self._longest_us, growth.longest_fragment_us)
        if growth.media_end_us is None:
            if previous is not None and cut:  # short segments: each look may find a file that has only just begun
                self.newest_us, self.recording = growth.mtime_us, True
            return self._without_fragment(now_us)
        if previous is None or cut or growth.media_end_us != previous.media_end_us:
            self.newest_us = growth.mtime_us
            if verdict := self._jumped(growth) or self._changed(growth):
                return verdict
            self.recording = True
        return self._stalled(now_us) or self._uncut(now_us)

    def _before_init(self, now_us: int) -> Verdict | None:
        waited_us = now_us - self.started_us
        if self.audio and waited_us > NO_INIT_AUDIO_US:
            return Verdict("audio_silent", "audio is announced but none comes: recording the video alone")
        if waited_us > NO_INIT_US:
            return Verdict("no_video", f"connected, but no video came within {waited_us // 1_000_000} s")
        return None

    def _without_fragment(self, now_us: int) -> Verdict | None:
        if self.recording:
            return self._stalled(now_us)
        if now_us - self.started_us > NO_FRAGMENT_US:
            return Verdict("no_keyframes", "no two keyframes came: set the camera's keyframe interval to 2 s")
        return None

    def _stalled(self, now_us: int) -> Verdict | None:
        limit_us = max(STALL_US, STALL_FRAGMENTS * self._longest_us)
        if self.newest_us is not None and now_us - self.newest_us > limit_us:
            return Verdict("timeout", f"no footage for {(now_us - self.newest_us) // 1_000_000} s")
        return None

    def _uncut(self, now_us: int) -> Verdict | None:
        if now_us - self._file_since_us > NO_CUT_US:
            return Verdict("no_keyframes", "the file was not cut for 10 minutes: the camera sends no keyframes")
        return None

    def _changed(self, growth: FileGrowth) -> Verdict | None:
        """Another sequence parameter set than the run's first, seen twice: a camera may alternate between two."""
        before, self._other_parameters = self._other_parameters, 0
        if growth.parameters == 0 or growth.parameters == self._parameters:
            return None
        if self._parameters == 0:
            self._parameters = growth.parameters
            return None
        if growth.parameters == before:
            return Verdict("parameters_changed", "the camera's picture size or coding was changed")
        self._other_parameters, self.suspicious = growth.parameters, True
        return None

    def _jumped(self, growth: FileGrowth) -> Verdict | None:
        if growth.n == 0 and growth.fragments < 2:
            return None  # the first fragment can carry nonsense until the first sender report
        assert growth.media_end_us is not None
        offset_us = growth.mtime_us - growth.media_end_us
        before, self._last_offset_us = self._last_offset_us, offset_us
        if self._best_offset_us is None:
            self._best_offset_us = offset_us
            return None
        off_us = offset_us - self._best_offset_us
        limit_us = JUMP_US + growth.longest_fragment_us if growth.longest_fragment_us < STALL_US else 2 * JUMP_US
        if off_us < -limit_us:
            return Verdict("camera_time_jump", f"the camera's time jumped {-off_us / 1e6:.1f} s forward")
        if off_us > limit_us:
            if before is not None and before - self._best_offset_us > limit_us and offset_us > before - limit_us:
                return Verdict("camera_time_jump", f"the camera's time fell {off_us / 1e6:.1f} s behind")
            self.suspicious = True
            return None
        # Follows a slow drift; a better sample counts at once.
        self._best_offset_us = min(offset_us, self._best_offset_us + max(0, off_us) // 10)
        return None

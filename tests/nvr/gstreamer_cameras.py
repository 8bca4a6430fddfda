"""GStreamer's RTSP server as cameras: a program of its own, for Debian's Python. Prints its port, serves until it is ended.

Its streams differ from the simulator's: the first packets carry no time stamp, and a client joins in the middle of a GOP.
"""

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

PICTURE = "videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=25/1"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=400 ! rtph264pay name=pay0 pt=96"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=400 ! rtph265pay name=pay0 pt=96"
TONE = "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1"
CAMERAS = {
    "/h264-aac": f"{PICTURE} ! {H264} audiotestsrc is-live=true ! avenc_aac ! rtpmp4gpay name=pay1 pt=97",
    "/h264-pcmu": f"{PICTURE} ! {H264} {TONE} ! mulawenc ! rtppcmupay name=pay1 pt=0",
    "/h265": f"{PICTURE} ! {H265}",
}

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
for path, pipeline in CAMERAS.items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {pipeline} )")
    factory.set_shared(True)
    server.get_mount_points().add_factory(path, factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()

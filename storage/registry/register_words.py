"""The words of the register on paper and in sheets, in English and Hindi. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

BOTH: Final = "both"
LANGUAGES: Final = ("en", "hi", BOTH)


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    hi: str

    def text(self, language: str) -> str:
        """In one of LANGUAGES; both are parted by a stroke."""
        if language == BOTH:
            return self.en if self.en == self.hi else f"{self.en} / {self.hi}"
        return self.hi if language == "hi" else self.en

    def __str__(self) -> str:
        return self.en


WORDS: Final = {
    "title": Words("Daily progress report of CCTV cameras", "सीसीटीवी कैमरों की दैनिक प्रगति रिपोर्ट"),
    "day": Words("Day", "दिनांक"),
    "as_of": Words("As of", "स्थिति"),
    "window": Words("Coverage from", "रिकॉर्डिंग की अवधि"),
    "to": Words("to", "से"),
    "kind": Words("Owner category", "स्वामी का प्रकार"),
    "station": Words("Police station", "थाना"),
    "target": Words("Target", "लक्ष्य"),
    "installed": Words("Installed", "स्थापित"),
    "linked": Words("Linked", "जुड़े हुए"),
    "share": Words("% of target", "लक्ष्य का %"),
    "recording": Words("Recording", "रिकॉर्ड हो रहे"),
    "coverage": Words("Recorded in 24 h, %", "24 घंटे में रिकॉर्डिंग, %"),
    "faulty": Words("Faulty", "ख़राब"),
    "faulty_days": Words("Faulty for, days (longest)", "कितने दिन से ख़राब (अधिकतम)"),
    "action": Words("Action taken", "की गई कार्रवाई"),
    "remarks": Words("Remarks", "टिप्पणी"),
    "total": Words("Total", "योग"),
    "no_kind": Words("Without a category", "बिना प्रकार"),
    "all": Words("all", "सभी"),
    "faulty_list": Words("Faulty cameras", "ख़राब कैमरे"),
    "none_faulty": Words("No camera is faulty.", "कोई कैमरा ख़राब नहीं है।"),
    "code": Words("Code", "कोड"),
    "name": Words("Name", "नाम"),
    "cause": Words("Cause", "कारण"),
    "days": Words("Days", "दिन"),
    "since": Words("Since", "कब से"),
    "owner": Words("Owner", "स्वामी"),
    "contact": Words("Contact", "संपर्क"),
    "nodal": Words("Nodal officer", "नोडल अधिकारी"),
    "signed": Words("Signed", "हस्ताक्षरित"),
    "not_signed": Words("Not signed", "हस्ताक्षरित नहीं"),
    "page": Words("Page", "पृष्ठ"),
    "register": Words("Register", "रजिस्टर"),
}
CAUSES: Final = {
    "camera": Words("Camera", "कैमरा"),
    "network": Words("Network", "नेटवर्क"),
    "credentials": Words("User or password", "यूज़र या पासवर्ड"),
    "codec": Words("Picture format", "चित्र का प्रारूप"),
    "disk": Words("Disk", "डिस्क"),
    "server": Words("Server", "सर्वर"),
    "disabled": Words("Switched off", "बंद किया गया"),
    "deleted": Words("Deleted as per policy", "नीति के अनुसार हटाया गया"),
    "unknown": Words("Unknown", "अज्ञात"),
}

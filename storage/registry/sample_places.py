"""Places of Kanpur for the sample city: localities with their station, and sites that have several cameras.

Names are those of the city, coordinates near the place; who stands there and with what is invented.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Locality(NamedTuple):
    name: str
    name_hi: str
    station: str
    zone: str
    ward: str
    lat: float
    lon: float


class Place(NamedTuple):
    """A site with `cameras` cameras of one kind of owner."""

    kind: str
    name: str
    name_hi: str
    owner: str
    locality: str
    cameras: int
    lat: float
    lon: float


LOCALITIES: Final = (
    Locality("Jhakarkati", "झकरकटी", "Babupurwa", "South", "42", 26.4423, 80.3452),
    Locality("Ghantaghar", "घंटाघर", "Harbans Mohal", "Central", "12", 26.4540, 80.3510),
    Locality("Tatmill Chauraha", "टाटमिल चौराहा", "Railbazar", "East", "44", 26.4478, 80.3476),
    Locality("Bada Chauraha", "बड़ा चौराहा", "Kotwali", "Central", "5", 26.4716, 80.3512),
    Locality("Mall Road", "माल रोड", "Cantt", "East", "3", 26.4667, 80.3580),
    Locality("Naveen Market", "नवीन मार्केट", "Kotwali", "Central", "5", 26.4702, 80.3490),
    Locality("Parade", "परेड", "Kotwali", "Central", "6", 26.4692, 80.3462),
    Locality("Birhana Road", "बिरहाना रोड", "Feelkhana", "Central", "8", 26.4652, 80.3541),
    Locality("General Ganj", "जनरल गंज", "Collectorganj", "Central", "9", 26.4597, 80.3530),
    Locality("Nayaganj", "नयागंज", "Collectorganj", "Central", "10", 26.4611, 80.3556),
    Locality("Moolganj", "मूलगंज", "Moolganj", "Central", "11", 26.4629, 80.3487),
    Locality("Meston Road", "मेस्टन रोड", "Moolganj", "Central", "11", 26.4655, 80.3500),
    Locality("Becanganj", "बेकनगंज", "Becanganj", "Central", "14", 26.4612, 80.3401),
    Locality("Chamanganj", "चमनगंज", "Chamanganj", "Central", "16", 26.4637, 80.3362),
    Locality("Bansmandi", "बांसमंडी", "Anwarganj", "Central", "17", 26.4557, 80.3383),
    Locality("Anwarganj", "अनवरगंज", "Anwarganj", "Central", "18", 26.4543, 80.3351),
    Locality("Afim Kothi", "अफीम कोठी", "Raipurwa", "Central", "20", 26.4520, 80.3330),
    Locality("Jarib Chowki", "जरीब चौकी", "Bajaria", "Central", "21", 26.4607, 80.3243),
    Locality("Sisamau", "सीसामऊ", "Sisamau", "Central", "23", 26.4656, 80.3269),
    Locality("P Road", "पी रोड", "Sisamau", "Central", "24", 26.4671, 80.3250),
    Locality("80 Feet Road", "अस्सी फीट रोड", "Nazirabad", "Central", "26", 26.4681, 80.3170),
    Locality("Gumti No. 5", "गुमटी नंबर 5", "Nazirabad", "Central", "26", 26.4640, 80.3158),
    Locality("Fazalganj", "फजलगंज", "Fazalganj", "Central", "28", 26.4560, 80.3070),
    Locality("Swaroop Nagar", "स्वरूप नगर", "Swaroop Nagar", "Central", "30", 26.4800, 80.3180),
    Locality("Moti Jheel", "मोती झील", "Swaroop Nagar", "Central", "30", 26.4757, 80.3145),
    Locality("Arya Nagar", "आर्य नगर", "Swaroop Nagar", "Central", "31", 26.4816, 80.3248),
    Locality("Benajhabar", "बेनाझाबर", "Swaroop Nagar", "Central", "31", 26.4793, 80.3290),
    Locality("Gwaltoli", "ग्वालटोली", "Gwaltoli", "Central", "33", 26.4860, 80.3370),
    Locality("Civil Lines", "सिविल लाइन्स", "Kotwali", "Central", "4", 26.4772, 80.3469),
    Locality("Company Bagh", "कंपनी बाग", "Nawabganj", "Central", "35", 26.4921, 80.3153),
    Locality("Nawabganj", "नवाबगंज", "Nawabganj", "Central", "36", 26.4989, 80.3108),
    Locality("Azad Nagar", "आज़ाद नगर", "Nawabganj", "Central", "37", 26.5036, 80.3010),
    Locality("Vishnupuri", "विष्णुपुरी", "Colonelganj", "Central", "34", 26.4908, 80.3224),
    Locality("Colonelganj", "कर्नलगंज", "Colonelganj", "Central", "15", 26.4692, 80.3390),
    Locality("Kakadeo", "काकादेव", "Kakadeo", "West", "60", 26.4790, 80.2960),
    Locality("Rawatpur", "रावतपुर", "Kakadeo", "West", "61", 26.4870, 80.2960),
    Locality("Gol Chauraha", "गोल चौराहा", "Swaroop Nagar", "Central", "32", 26.4848, 80.3040),
    Locality("Sharda Nagar", "शारदा नगर", "Kalyanpur", "West", "63", 26.4920, 80.2830),
    Locality("Gurudev Palace", "गुरुदेव पैलेस", "Kalyanpur", "West", "64", 26.4963, 80.2870),
    Locality("IIT Gate", "आईआईटी गेट", "Kalyanpur", "West", "66", 26.5085, 80.2450),
    Locality("Kalyanpur", "कल्याणपुर", "Kalyanpur", "West", "65", 26.5030, 80.2540),
    Locality("Awas Vikas", "आवास विकास", "Kalyanpur", "West", "67", 26.4930, 80.2420),
    Locality("Panki", "पनकी", "Panki", "West", "70", 26.4690, 80.2440),
    Locality("Panki Industrial Area", "पनकी औद्योगिक क्षेत्र", "Panki", "West", "71", 26.4580, 80.2370),
    Locality("Armapur", "अर्मापुर", "Armapur", "West", "72", 26.4760, 80.2700),
    Locality("Vijay Nagar", "विजय नगर", "Kakadeo", "West", "62", 26.4680, 80.2890),
    Locality("Dada Nagar", "दादा नगर", "Govind Nagar", "South", "80", 26.4480, 80.2840),
    Locality("Govind Nagar", "गोविंद नगर", "Govind Nagar", "South", "81", 26.4460, 80.3040),
    Locality("Ratan Lal Nagar", "रतन लाल नगर", "Govind Nagar", "South", "82", 26.4390, 80.2930),
    Locality("Shastri Chowk", "शास्त्री चौक", "Govind Nagar", "South", "83", 26.4360, 80.3000),
    Locality("Barra", "बर्रा", "Barra", "South", "85", 26.4240, 80.2900),
    Locality("Saket Nagar", "साकेत नगर", "Kidwai Nagar", "South", "87", 26.4290, 80.3140),
    Locality("Kidwai Nagar", "किदवई नगर", "Kidwai Nagar", "South", "88", 26.4310, 80.3310),
    Locality("Juhi", "जूही", "Juhi", "South", "89", 26.4380, 80.3230),
    Locality("Baradevi Chauraha", "बारादेवी चौराहा", "Juhi", "South", "90", 26.4370, 80.3330),
    Locality("Naubasta", "नौबस्ता", "Naubasta", "South", "92", 26.4060, 80.3180),
    Locality("Yashoda Nagar", "यशोदा नगर", "Naubasta", "South", "93", 26.4130, 80.3330),
    Locality("Hanspuram", "हंसपुरम", "Hanumant Vihar", "South", "94", 26.4010, 80.3010),
    Locality("Shyam Nagar", "श्याम नगर", "Chakeri", "East", "96", 26.4330, 80.3760),
    Locality("Rama Devi", "रामादेवी", "Chakeri", "East", "97", 26.4130, 80.3850),
    Locality("Lal Bangla", "लाल बंगला", "Chakeri", "East", "98", 26.4350, 80.3930),
    Locality("COD", "सीओडी", "Railbazar", "East", "45", 26.4400, 80.3660),
    Locality("Jajmau", "जाजमऊ", "Jajmau", "East", "100", 26.4290, 80.4140),
    Locality("Cantt", "कैंट", "Cantt", "East", "2", 26.4590, 80.3690),
    Locality("Railbazar", "रेलबाज़ार", "Railbazar", "East", "43", 26.4510, 80.3590),
    Locality("Bithoor", "बिठूर", "Bithoor", "West", "110", 26.6060, 80.2720),
)

PLACES: Final = (
    Place("bus_stand", "Jhakarkati bus stand", "झकरकटी बस अड्डा", "UPSRTC", "Jhakarkati", 14, 26.4420, 80.3450),
    Place("bus_stand", "Chunniganj bus stand", "चुन्नीगंज बस अड्डा", "UPSRTC", "Colonelganj", 6, 26.4733, 80.3370),
    Place("bus_stand", "Rawatpur bus station", "रावतपुर बस स्टेशन", "UPSRTC", "Rawatpur", 4, 26.4862, 80.2975),
    Place("bus_stand", "Vikas Nagar depot", "विकास नगर डिपो", "UPSRTC", "Company Bagh", 2, 26.4950, 80.3070),
    Place(
        "hospital",
        "LLR (Hallet) Hospital",
        "एलएलआर (हैलट) अस्पताल",
        "GSVM Medical College",
        "Swaroop Nagar",
        4,
        26.4783,
        80.3128,
    ),
    Place(
        "hospital", "Ursula Horsman Hospital", "उर्सला हॉर्समैन अस्पताल", "District Hospital", "Parade", 3, 26.4713, 80.3437
    ),
    Place("hospital", "Cardiology Institute", "हृदय रोग संस्थान", "LPS Institute", "Gol Chauraha", 2, 26.4811, 80.3089),
    Place(
        "municipal",
        "Nagar Nigam, head office",
        "नगर निगम मुख्यालय",
        "Municipal Corporation",
        "Moti Jheel",
        9,
        26.4768,
        80.3160,
    ),
    Place("municipal", "Moti Jheel park", "मोती झील पार्क", "Municipal Corporation", "Moti Jheel", 8, 26.4757, 80.3145),
    Place("municipal", "Phool Bagh", "फूल बाग", "Municipal Corporation", "Bada Chauraha", 6, 26.4655, 80.3590),
    Place("kda", "KDA office", "केडीए कार्यालय", "Kanpur Development Authority", "Moti Jheel", 4, 26.4785, 80.3170),
    Place("school", "PPN College", "पीपीएन कॉलेज", "PPN College", "Parade", 3, 26.4717, 80.3476),
    Place(
        "school", "Coaching hub, Kakadeo", "कोचिंग हब, काकादेव", "Coaching association", "Kakadeo", 4, 26.4787, 80.2972
    ),
    Place("nhai", "Rama Devi flyover", "रामादेवी फ्लाईओवर", "NHAI", "Rama Devi", 4, 26.4128, 80.3857),
    Place("nhai", "Naubasta flyover", "नौबस्ता फ्लाईओवर", "NHAI", "Naubasta", 4, 26.4052, 80.3187),
    Place("shop", "Naveen Market", "नवीन मार्केट", "Traders' association", "Naveen Market", 24, 26.4702, 80.3490),
    Place("shop", "Gumti market", "गुमटी बाज़ार", "Traders' association", "Gumti No. 5", 18, 26.4640, 80.3158),
    Place("shop", "Bansmandi market", "बांसमंडी बाज़ार", "Traders' association", "Bansmandi", 12, 26.4557, 80.3383),
    Place(
        "industry",
        "Panki site 1",
        "पनकी साइट 1",
        "Industries' association",
        "Panki Industrial Area",
        30,
        26.4580,
        80.2370,
    ),
    Place(
        "industry", "Dada Nagar estate", "दादा नगर इस्टेट", "Industries' association", "Dada Nagar", 30, 26.4480, 80.2840
    ),
)

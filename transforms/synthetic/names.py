"""Common names, nicknames, streets and towns of which synthetic people are composed. Names are facts; people are drawn."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILIES = _words(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson "
    "Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young "
    "Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts "
    "Gomez Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez "
    "Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson Watson Brooks Chavez Wood James "
    "Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Muñoz Núñez Peña "
    "Müller Schröder O'Brien O'Neil D'Angelo Kowalski Novak Ivanov Haddad Rahman Okafor Mensah Tanaka Sato Chen Wang Li Singh"
)

WOMEN = _words(
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Karen Sarah Lisa Nancy Sandra Betty Ashley Emily Kimberly "
    "Margaret Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca Sharon Laura Cynthia Dorothy Amy Kathleen Angela "
    "Shirley Emma Brenda Pamela Nicole Anna Samantha Katherine Christine Helen Debra Rachel Carolyn Janet Maria Olivia Heather "
    "Inés Zoë Renée Priya Fatima Mei Yuki Amara"
)

MEN = _words(
    "James Michael Robert John David William Richard Joseph Thomas Christopher Charles Daniel Matthew Anthony Mark Donald "
    "Steven Andrew Paul Joshua Kenneth Kevin Brian Timothy Ronald George Jason Edward Jeffrey Ryan Jacob Nicholas Gary Eric "
    "Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Frank Raymond Jack Dennis Jerry "
    "José André Jörg Arjun Omar Wei Hiro Kwame"
)

NICKNAMES = {
    "Patricia": "Pat", "Jennifer": "Jen", "Elizabeth": "Liz", "Barbara": "Barb", "Susan": "Sue", "Jessica": "Jess",
    "Kimberly": "Kim", "Margaret": "Peggy", "Deborah": "Debbie", "Rebecca": "Becky", "Cynthia": "Cindy", "Kathleen": "Kathy",
    "Katherine": "Kate", "Christine": "Chris", "Samantha": "Sam", "Pamela": "Pam", "James": "Jim", "Michael": "Mike",
    "Robert": "Bob", "David": "Dave", "William": "Bill", "Richard": "Rick", "Joseph": "Joe", "Thomas": "Tom",
    "Christopher": "Chris", "Charles": "Chuck", "Daniel": "Dan", "Matthew": "Matt", "Anthony": "Tony", "Steven": "Steve",
    "Andrew": "Drew", "Joshua": "Josh", "Kenneth": "Ken", "Timothy": "Tim", "Ronald": "Ron", "Edward": "Ed",
    "Nicholas": "Nick", "Jonathan": "Jon", "Benjamin": "Ben", "Samuel": "Sam", "Gregory": "Greg", "Alexander": "Alex",
}

STREETS = _words(
    "Elm Oak Maple Cedar Pine Walnut Chestnut Willow Birch Spruce Main Church High Mill Park Lake River Hill Prospect Union"
)
STREET_KINDS = ("St", "Ave", "Rd", "Ln", "Blvd")
TOWNS = (
    ("Axton", "100"), ("Bellmead", "104"), ("Carrow", "112"), ("Dunmore Falls", "120"), ("Easthaven", "131"),
    ("Fairlow", "146"), ("Glenbrook", "187"), ("Harrow Point", "201"), ("Ivy Springs", "303"), ("Juniper", "402"),
)
PAYERS = (("BCX", "Blue Harbor Health"), ("UNI", "Union Mutual"), ("MCR", "Medicare"), ("MCD", "Medicaid"), ("SLF", "Self-pay"))

"""Cities with everything an address needs. Nothing here decides anything; ``story`` picks."""

from typing import NamedTuple


class Place(NamedTuple):
    """A city with everything an address needs."""

    city: str
    state: str
    zip: str
    country: str
    country_name: str
    region: str
    calling_code: str


PLACES = (
    Place("Berlin", "Berlin", "10115", "DE", "Germany", "EU", "49"),
    Place("Hamburg", "Hamburg", "20095", "DE", "Germany", "EU", "49"),
    Place("Munich", "Bavaria", "80331", "DE", "Germany", "EU", "49"),
    Place("Cologne", "North Rhine-Westphalia", "50667", "DE", "Germany", "EU", "49"),
    Place("Leipzig", "Saxony", "04109", "DE", "Germany", "EU", "49"),
    Place("Vienna", "Vienna", "1010", "AT", "Austria", "EU", "43"),
    Place("Graz", "Styria", "8010", "AT", "Austria", "EU", "43"),
    Place("Amsterdam", "North Holland", "1012", "NL", "Netherlands", "EU", "31"),
    Place("Utrecht", "Utrecht", "3511", "NL", "Netherlands", "EU", "31"),
    Place("Paris", "Île-de-France", "75001", "FR", "France", "EU", "33"),
    Place("Lyon", "Auvergne-Rhône-Alpes", "69001", "FR", "France", "EU", "33"),
    Place("Madrid", "Madrid", "28001", "ES", "Spain", "EU", "34"),
    Place("Valencia", "Valencia", "46001", "ES", "Spain", "EU", "34"),
    Place("London", "England", "EC1A 1BB", "GB", "United Kingdom", "UK", "44"),
    Place("Leeds", "England", "LS1 4AP", "GB", "United Kingdom", "UK", "44"),
    Place("New York", "New York", "10001", "US", "United States", "US", "1"),
    Place("Boston", "Massachusetts", "02108", "US", "United States", "US", "1"),
    Place("Chicago", "Illinois", "60601", "US", "United States", "US", "1"),
    Place("Austin", "Texas", "78701", "US", "United States", "US", "1"),
    Place("Denver", "Colorado", "80202", "US", "United States", "US", "1"),
    Place("Seattle", "Washington", "98101", "US", "United States", "US", "1"),
    Place("Portland", "Oregon", "97201", "US", "United States", "US", "1"),
)

"""What other parts of the product use of people."""

from crewai_runner.features.people.administration import PeopleAdministration
from crewai_runner.features.people.members import MemberService
from crewai_runner.features.people.passwords import Passwords

__all__ = ["MemberService", "Passwords", "PeopleAdministration"]

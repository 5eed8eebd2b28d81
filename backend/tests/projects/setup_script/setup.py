from setuptools import find_packages, setup

REQUIREMENTS = ["crewai==0.102.0", "rich"]

setup(
    name="quiz",
    packages=find_packages(),
    python_requires=">=3.10,<3.13",
    install_requires=REQUIREMENTS,
)

"""Logging goes to a file that no name of the notebook holds.

expected: equal
skip edited: the log of the first run is there already, and the step goes on with it
skip resumed: the log of the first run is there already, and the step goes on with it
"""
# %% [imports]
import logging
# %% [step:set]
logging.basicConfig(filename="run.log", level=logging.INFO, format="%(levelname)s %(message)s", force=True)
logging.info("one")
# %% [step:use]
logging.warning("two")
# %% [step:check]
logging.getLogger("deep.er").error("three")
text = open("run.log").read()
print(text)

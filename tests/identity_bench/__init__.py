"""The benchmark of patient identity: labelled populations, their scorer, and the gates that the product is held to."""

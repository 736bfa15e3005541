"""The revisions, each with what it changes. A revision that was released is not changed."""

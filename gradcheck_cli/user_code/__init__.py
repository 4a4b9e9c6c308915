"""Code that is named in a text: found, called with inputs that are texts, at one draw of them or many, and checked."""

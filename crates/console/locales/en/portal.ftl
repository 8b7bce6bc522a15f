# Pages of a person.

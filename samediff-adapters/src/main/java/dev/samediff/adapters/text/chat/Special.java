package dev.samediff.adapters.text.chat;

/** Values that are no strings, numbers, lists or maps. */
enum Special {
    /** Python's None. */
    NONE,
    /** What no variable holds. */
    UNDEFINED
}

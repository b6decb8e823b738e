/** Tables in text files. */
@org.jspecify.annotations.NullMarked
package dev.samediff.adapters.text.table;

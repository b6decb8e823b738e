/** Random small graphs of the operators that can be imported, and their reduction when an import goes wrong. */
package dev.samediff.importer.random;

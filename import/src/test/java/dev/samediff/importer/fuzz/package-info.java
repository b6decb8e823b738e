/** Damaged and hostile files: each is imported or refused, in bounded time and memory. */
package dev.samediff.importer.fuzz;

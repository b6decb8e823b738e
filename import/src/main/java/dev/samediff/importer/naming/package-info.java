/** What a stored tensor is for (linear weight, bias, norm weight, embedding table) and what it is called in the graph. */
@NullMarked
package dev.samediff.importer.naming;

import org.jspecify.annotations.NullMarked;

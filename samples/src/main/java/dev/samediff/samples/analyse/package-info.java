/** What training did to the weights of a model: the analyses of the SORSA paper's sections 3 and 5, as a table, CSV and a page. */
@NullMarked
package dev.samediff.samples.analyse;

import org.jspecify.annotations.NullMarked;

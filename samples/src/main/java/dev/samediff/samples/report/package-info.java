/**
 * Reports as one HTML file that needs nothing else: text, tables and charts drawn as SVG.
 *
 * <p>Belongs here: how things look. What is measured belongs to the commands' jobs.
 */
@NullMarked
package dev.samediff.samples.report;

import org.jspecify.annotations.NullMarked;

/**
 * Sweeps as tasks of Apache Spark 3.3, which the user's class path provides. The only package that knows Spark.
 *
 * <p>On JDK 17 Spark needs flags of the JVM, see {@link dev.samediff.tuning.spark.SparkFlags}.
 */
@NullMarked
package dev.samediff.tuning.spark;

import org.jspecify.annotations.NullMarked;

package dev.samediff.importer;

/**
 * An embedding of an imported graph.
 *
 * @param module module path, as PyTorch and PEFT know it where it could be recovered: the variable's name without
 *     {@code .weight}
 * @param weight the table's variable
 * @param rows number of rows, the size of the vocabulary
 * @param columns size of a row
 * @param initializer the table's name in the file: an initializer or the output of a Constant node
 * @param node name of the Gather node in the file, the first if several look the table up
 */
public record EmbeddingTable(String module, String weight, int rows, int columns, String initializer, String node) {}

/** TensorFlow itself in tests: graphs are built here, run there, and compared with what was imported. */
package dev.samediff.importer.tensorflow;

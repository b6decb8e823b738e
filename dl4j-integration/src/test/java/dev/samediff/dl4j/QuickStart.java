package dev.samediff.dl4j;

import dev.samediff.adapters.method.Sorsa;
import java.io.File;
import java.io.IOException;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** The five lines of docs/dl4j.md. */
final class QuickStart {
    private QuickStart() {}

    static void run(File trained, DataSetIterator iterator, int epochs, File merged) throws IOException {
        // tag::quickstart
        MultiLayerNetwork network = MultiLayerNetwork.load(trained, true);
        AdapterTransfer.Builder transfer = new AdapterTransfer.Builder(network).method(Sorsa.rank(2));
        MultiLayerNetwork adapted = transfer.layers("first", "second").build();
        adapted.fit(iterator, epochs);
        AdapterTransfer.merge(adapted).save(merged);
        // end::quickstart
    }
}

package dev.samediff.samples.bench;

import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.nio.file.Path;

/** The process that imports one file and says how long it took and what memory it needed. */
final class ImportProbe {
    private ImportProbe() {}

    /**
     * What the process says on its last line.
     *
     * @param seconds time of the import, ND4J's own start included
     * @param peakBytes peak resident memory of the whole process
     * @param layers linear layers found
     */
    record Result(double seconds, long peakBytes, int layers) {}

    public static void main(String[] arguments) throws IOException {
        long start = System.nanoTime();
        ImportedModel model = OnnxImporter.load(Path.of(arguments[0]));
        double seconds = (System.nanoTime() - start) / 1e9;
        Result result = new Result(seconds, Memory.peak(), model.linearLayers().size());
        System.out.println(Json.line(result));
    }
}

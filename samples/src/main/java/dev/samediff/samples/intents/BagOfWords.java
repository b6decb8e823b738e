package dev.samediff.samples.intents;

import dev.samediff.adapters.text.jsonl.LabelledText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Sentences as vectors: words and pairs of words, each counted at the place that its hash says, of length 1.
 *
 * @param size length of a vector
 * @param classes number of intents
 */
record BagOfWords(int size, int classes) {

    /** Returns batches in an order that depends on the seed alone. */
    List<DataSet> batches(List<LabelledText> texts, int batch, long seed) {
        List<LabelledText> shuffled = new ArrayList<>(texts);
        Collections.shuffle(shuffled, new Random(seed));
        List<DataSet> batches = new ArrayList<>();
        for (int i = 0; i < shuffled.size(); i += batch) {
            batches.add(batch(shuffled.subList(i, Math.min(i + batch, shuffled.size()))));
        }
        return batches;
    }

    private DataSet batch(List<LabelledText> texts) {
        float[][] features = new float[texts.size()][];
        float[][] labels = new float[texts.size()][classes];
        for (int i = 0; i < texts.size(); i++) {
            features[i] = vector(texts.get(i).text());
            labels[i][texts.get(i).label()] = 1;
        }
        return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels));
    }

    /** Returns the vector of a sentence. */
    float[] vector(String text) {
        float[] vector = new float[size];
        String previous = "^";
        for (String word : text.toLowerCase(Locale.ROOT).split("[^a-z0-9']+")) {
            if (!word.isEmpty()) {
                vector[place(word)]++;
                vector[place(previous + " " + word)]++;
                previous = word;
            }
        }
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        float norm = (float) Math.sqrt(squares);
        for (int i = 0; norm > 0 && i < size; i++) {
            vector[i] /= norm;
        }
        return vector;
    }

    private int place(String word) {
        int hash = word.hashCode() * 0x9E3779B1;
        return Math.floorMod(hash ^ hash >>> 15, size);
    }
}

package dev.samediff.adapters.predict;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.text.batch.WordPieces;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Gives every word of a sentence a tag, such as {@code B-PER}. A word has the tag of its first token, as in training ({@link WordPieces});
 * a sentence that is longer than the model sees is tagged in parts, so that every word has one.
 *
 * <pre>{@code
 * TextTagger names = TextTagger.of(pool, tokenizer, PredictionPlan.upTo(128), "logits", tags).withAdapter("names");
 * for (TaggedWord word : names.predict(TextTagger.words("Ann lives in Rome ."))) { ... }
 * }</pre>
 */
public final class TextTagger implements Predictor<List<String>, List<TaggedWord>> {
    private static final String OUTSIDE = "O";

    private final TextInputs inputs;
    private final Tokenizer tokenizer;
    private final PredictionPlan plan;
    private final List<String> tags;

    private TextTagger(TextInputs inputs, Tokenizer tokenizer, PredictionPlan plan, List<String> tags) {
        this.inputs = inputs;
        this.tokenizer = tokenizer;
        this.plan = plan;
        this.tags = tags;
    }

    /**
     * Makes one.
     *
     * @param pool the model
     * @param tokenizer the tokenizer that the model was trained with
     * @param plan lengths and batches
     * @param logits name of the scores [texts, tokens, tags]
     * @param tags names of the tags, in the order of the scores
     * @throws InvalidInputException if the model has no such output
     */
    public static TextTagger of(
            ModelPool pool, Tokenizer tokenizer, PredictionPlan plan, String logits, List<String> tags) {
        return new TextTagger(TextInputs.of(pool, tokenizer, plan, logits), tokenizer, plan, List.copyOf(tags));
    }

    /**
     * Splits a text at blanks. Training data usually has punctuation as words of its own: separate it by a blank, or give the words of
     * your own splitter to {@link #predict}.
     */
    public static List<String> words(String text) {
        return text.isBlank() ? List.of() : List.of(text.strip().split("\\s+"));
    }

    @Override
    public TextTagger withAdapter(String name) {
        return new TextTagger(inputs.withAdapter(name), tokenizer, plan, tags);
    }

    /** A part of a sentence. */
    private record Part(int sentence, WordPieces.Window window) {
        boolean hasTokens() {
            return window.ids().length > 0;
        }
    }

    @Override
    public List<List<TaggedWord>> predict(List<? extends List<String>> sentences) {
        List<Part> parts = new ArrayList<>();
        for (int i = 0; i < sentences.size(); i++) {
            parts(i, sentences.get(i), parts);
        }
        Iterator<double[][]> scores = inputs.computeIds(
                        parts.stream()
                                .filter(Part::hasTokens)
                                .map(part -> part.window().ids())
                                .toList(),
                        this::scores)
                .iterator();
        List<List<TaggedWord>> answers = new ArrayList<>();
        sentences.forEach(sentence -> answers.add(new ArrayList<>()));
        for (Part part : parts) {
            double[][] tokens = part.hasTokens() ? scores.next() : new double[0][];
            int[] places = part.window().places();
            for (int word = 0; word < places.length; word++) {
                String text = sentences.get(part.sentence()).get(part.window().first() + word);
                answers.get(part.sentence()).add(places[word] < 0 ? outside(text) : tagged(text, tokens[places[word]]));
            }
        }
        return answers.stream().map(List::copyOf).toList();
    }

    private void parts(int number, List<String> words, List<Part> parts) {
        if (words.isEmpty()) {
            throw new InvalidInputException("sentence " + number + " has no words; leave out empty texts");
        }
        WordPieces pieces = WordPieces.of(words, tokenizer);
        for (int first = 0; first < words.size(); ) {
            WordPieces.Window window = pieces.window(first, plan.maxLength());
            parts.add(new Part(number, window));
            first = window.end();
        }
    }

    private double[][] scores(INDArray row, int length) {
        if (row.rank() != 2) {
            throw new InvalidInputException("the output `" + inputs.output() + "` has " + (row.rank() + 1)
                    + " axes; expected [texts, tokens, tags]: scores for each token");
        }
        if (row.size(1) != tags.size()) {
            throw new InvalidInputException("the output `" + inputs.output() + "` has scores of " + row.size(1)
                    + " tags, but there are names for " + tags.size());
        }
        double[][] scores = new double[length][];
        for (int token = 0; token < length; token++) {
            scores[token] = Scores.of(row.slice(token), inputs.output());
        }
        return scores;
    }

    private TaggedWord tagged(String word, double... scores) {
        double[] probabilities = Scores.softmax(scores.clone());
        int best = 0;
        for (int tag = 1; tag < probabilities.length; tag++) {
            best = probabilities[tag] > probabilities[best] ? tag : best;
        }
        return new TaggedWord(word, tags.get(best), probabilities[best]);
    }

    private TaggedWord outside(String word) {
        if (!tags.contains(OUTSIDE)) {
            throw new InvalidInputException("the word `" + word
                    + "` has no tokens, and there is no tag O for what is none of the others; leave the word out");
        }
        return new TaggedWord(word, OUTSIDE, 1);
    }
}

package dev.samediff.samples.finetune;

import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.EncodedExamples;
import dev.samediff.adapters.text.batch.Packing;
import dev.samediff.adapters.text.batch.TokenSequence;
import dev.samediff.adapters.text.jsonl.ExampleSource;
import dev.samediff.adapters.text.jsonl.Learnable;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.task.EvaluationSet;
import java.util.List;

/**
 * Batches of examples for a model's inputs.
 *
 * @param model the model
 */
public record TaskBatches(LanguageModel model) {
    private static final int WIDTH_STEP = 8;
    private static final int BUCKETS = 20;
    private static final int EVALUATION_BATCH = 25;
    private static final int EVALUATION_WIDTH_STEP = 16;

    /** Returns examples as token sequences. */
    public EncodedExamples encode(List<? extends Learnable> examples) {
        return model.encoder().encodeAll(examples);
    }

    /** Returns examples as token sequences, reading them one by one. */
    public EncodedExamples encode(ExampleSource examples) {
        return model.encoder().encodeAll(examples);
    }

    /** Returns shuffled batches to train on, with several texts in a row if asked for; rows of similar length are together. */
    public CausalLmIterator training(EncodedExamples encoded, Packing packing, int batch, long seed) {
        return packing == Packing.NONE
                ? training(encoded, batch, seed)
                : batches(
                        encoded.sequences(),
                        plan(batch).shuffled(seed).bucketed(BUCKETS).packed(packing));
    }

    /** Returns shuffled batches to train on; texts of similar length are together. */
    public CausalLmIterator training(EncodedExamples encoded, int batch, long seed) {
        BatchPlan plan = plan(batch).shuffled(seed).bucketed(BUCKETS);
        return batches(encoded.sequences(), encoded.sequences().size() >= batch ? plan.droppingLast() : plan);
    }

    /** Returns texts as one batch of training. */
    CausalLmIterator plain(List<TokenSequence> sequences) {
        return batches(sequences, plan(sequences.size()));
    }

    /** Returns batches to measure by, in the order of the examples. */
    public CausalLmIterator evaluation(EncodedExamples encoded) {
        BatchPlan plan = BatchPlan.of(EVALUATION_BATCH, model.maxLength()).paddedToMultipleOf(EVALUATION_WIDTH_STEP);
        return batches(encoded.sequences(), plan);
    }

    /** Returns the batches of a set to measure by. */
    public CausalLmIterator evaluation(EvaluationSet set) {
        return evaluation(encode(set.examples()));
    }

    private BatchPlan plan(int batch) {
        return BatchPlan.of(batch, model.maxLength()).paddedToMultipleOf(WIDTH_STEP);
    }

    private CausalLmIterator batches(List<TokenSequence> sequences, BatchPlan plan) {
        return new CausalLmIterator(
                sequences, model.tokenizer().padId(), model.inputs().fill(plan));
    }
}

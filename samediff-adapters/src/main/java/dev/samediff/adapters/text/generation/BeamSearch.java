package dev.samediff.adapters.text.generation;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * The likeliest text after one prompt, by beams: each step follows the {@code count} likeliest of all continuations of the texts that are followed
 * now. Continuations by an end token are finished texts if they are among the {@code count} likeliest. As {@code BeamSearchScorer} of transformers.
 */
final class BeamSearch {
    private final NextScores next;
    private final Beams beams;
    private final int number;
    private final GenerationPlan plan;
    private final Tokenizer tokenizer;
    private final List<Finished> finished = new ArrayList<>();

    /** A text that is followed: all its tokens, and the logarithm of its probability after the prompt. */
    private record Beam(int[] ids, double logProbability) {}

    /** A text with its end. */
    private record Finished(
            int[] ids,
            double score,
            Generation.End end,
            @Nullable String text) {}

    /** A text and its next token. */
    private record Candidate(Beam beam, int id, double logProbability) {}

    /**
     * Searches.
     *
     * @param next the model
     * @param beams how many texts, and how they are compared
     * @param number the prompt's number, for messages
     */
    BeamSearch(NextScores next, Beams beams, int number) {
        this.next = next;
        this.beams = beams;
        this.number = number;
        this.plan = next.plan();
        this.tokenizer = next.tokenizer();
    }

    /** Returns the best text after a prompt, which leaves room. */
    Generation after(int... prompt) {
        int most = (int) Math.min(plan.contextLength(), (long) prompt.length + plan.maxNewTokens());
        List<Beam> live = List.of(new Beam(prompt, 0));
        for (int length = prompt.length; length < most && !live.isEmpty(); length++) {
            List<Candidate> candidates = candidates(live);
            live = followed(candidates, prompt.length);
            if (isDone(candidates.get(0).logProbability(), length + 1 - prompt.length)) {
                live = List.of();
            }
        }
        Generation.End full =
                most == prompt.length + plan.maxNewTokens() ? Generation.End.MAX_NEW_TOKENS : Generation.End.CONTEXT;
        for (Beam beam : live) {
            finish(beam.ids(), prompt.length, beam.ids().length - prompt.length, beam.logProbability(), full, null);
        }
        Finished best = finished.stream()
                .max(Comparator.comparingDouble(Finished::score))
                .orElseThrow(() -> new IllegalStateException("no text was followed after prompt " + number));
        int[] ids = Arrays.copyOfRange(best.ids(), prompt.length, best.ids().length);
        return new Generation(best.text() == null ? tokenizer.decode(ids) : best.text(), ids, best.end());
    }

    /** Returns the likeliest continuations, best first: enough that {@code count} of them are no ends. */
    private List<Candidate> candidates(List<Beam> live) {
        int ends = tokenizer.framing().ends().size();
        int wanted = Math.max(2, 1 + ends) * beams.count();
        PriorityQueue<Candidate> best = new PriorityQueue<>(Comparator.comparingDouble(Candidate::logProbability));
        float[][] scores = next.of(live.stream().map(Beam::ids).toList());
        for (int row = 0; row < scores.length; row++) {
            Beam beam = live.get(row);
            NextScores.check(scores[row], number, beam.ids().length);
            double[] logs = logProbabilities(scores[row]);
            penalise(logs, beam.ids());
            for (int id = 0; id < logs.length; id++) {
                double sum = beam.logProbability() + logs[id];
                if (sum == Double.NEGATIVE_INFINITY) {
                    continue; // the model rules it out
                }
                if (best.size() < wanted) {
                    best.add(new Candidate(beam, id, sum));
                } else if (sum > best.element().logProbability()) {
                    best.remove();
                    best.add(new Candidate(beam, id, sum));
                }
            }
        }
        List<Candidate> sorted = new ArrayList<>(best);
        sorted.sort(Comparator.comparingDouble(Candidate::logProbability).reversed());
        return sorted;
    }

    private static double[] logProbabilities(float... logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        double log = largest + Math.log(sum);
        double[] logs = new double[logits.length];
        for (int id = 0; id < logs.length; id++) {
            logs[id] = logits[id] - log;
        }
        return logs;
    }

    private void penalise(double[] logs, int... ids) {
        double penalty = plan.sampler() instanceof Sampling sampling ? sampling.repetitionPenalty() : 1;
        if (penalty == 1) {
            return;
        }
        BitSet seen = new BitSet(logs.length);
        for (int id : ids) {
            if (id < logs.length && !seen.get(id)) {
                seen.set(id);
                logs[id] *= penalty; // no logarithm of a probability is above 0
            }
        }
    }

    /** Returns the texts that are followed from here, and keeps those that end. */
    private List<Beam> followed(List<Candidate> candidates, int promptLength) {
        List<Beam> live = new ArrayList<>();
        for (int rank = 0; rank < candidates.size() && live.size() < beams.count(); rank++) {
            Candidate candidate = candidates.get(rank);
            int[] before = candidate.beam().ids();
            int tokens = before.length + 1 - promptLength;
            if (tokenizer.framing().isEnd(candidate.id())) {
                if (rank < beams.count()) {
                    finish(before, promptLength, tokens, candidate.logProbability(), Generation.End.EOS, null);
                }
                continue;
            }
            int[] ids = Arrays.copyOf(before, before.length + 1);
            ids[before.length] = candidate.id();
            WrittenText text = new WrittenText(tokenizer, plan.stops());
            if (!plan.stops().isEmpty() && text.read(Arrays.copyOfRange(ids, promptLength, ids.length))) {
                if (rank < beams.count()) {
                    double sum = candidate.logProbability();
                    finish(ids, promptLength, tokens, sum, Generation.End.STOP_STRING, text.text());
                }
                continue;
            }
            live.add(new Beam(ids, candidate.logProbability()));
        }
        return live;
    }

    private void finish(
            int[] ids, int promptLength, int tokens, double sum, Generation.End end, @Nullable String text) {
        finished.add(new Finished(ids, beams.score(sum, Math.max(1, tokens)), end, text));
        finished.sort(Comparator.comparingDouble(Finished::score).reversed());
        while (finished.size() > beams.count()) {
            finished.remove(finished.size() - 1);
        }
    }

    /** Returns whether no text that is followed can still become one of the best. */
    private boolean isDone(double likeliest, int tokens) {
        return finished.size() >= beams.count()
                && (beams.early() || finished.get(finished.size() - 1).score() >= beams.score(likeliest, tokens));
    }
}

package dev.samediff.samples.evaluate;

/**
 * How a model does on a file.
 *
 * @param file the file's name
 * @param adapter the adapter that acts; empty for the base model
 * @param examples how many there are
 * @param loss mean loss of the labelled tokens, nats
 * @param perplexity {@code exp(loss)}
 * @param compared how answers are compared
 * @param asked how many prompts were answered
 * @param right how many rightly
 * @param accuracy the share; NaN if none was asked
 * @param accuracyLow the lower end of its interval of 95 per cent (Wilson)
 * @param accuracyHigh the upper end
 */
public record FileScore(
        String file,
        String adapter,
        int examples,
        double loss,
        double perplexity,
        String compared,
        int asked,
        int right,
        double accuracy,
        double accuracyLow,
        double accuracyHigh) {
    /** Returns the figures of a file. */
    static FileScore of(QuestionFile file, String adapter, double loss, int asked, int right) {
        Interval interval = Interval.of(right, asked);
        return new FileScore(
                file.set().name(),
                adapter,
                file.set().examples().size(),
                loss,
                Math.exp(loss),
                file.compared(),
                asked,
                right,
                asked == 0 ? Double.NaN : (double) right / asked,
                interval.low(),
                interval.high());
    }
}

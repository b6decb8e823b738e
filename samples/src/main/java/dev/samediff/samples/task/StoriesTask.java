package dev.samediff.samples.task;

import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.samples.stories.ArithmeticStories;
import dev.samediff.samples.stories.ArithmeticStories.Distribution;
import dev.samediff.samples.stories.ArithmeticStories.Split;
import dev.samediff.samples.stories.ArithmeticStories.Story;
import java.util.List;

/**
 * The bundled job: a model that solves one kind of arithmetic story learns another kind. The second evaluation set, of
 * the kind it knew before, shows what it forgets.
 */
public final class StoriesTask {
    private StoriesTask() {}

    /**
     * Makes the task; the same arguments give the same stories.
     *
     * @param trainCount stories to learn from
     * @param evaluationCount stories of each kind to measure by
     * @param seed seed of the stories
     */
    public static Task create(int trainCount, int evaluationCount, long seed) {
        return new Task(
                "arithmetic stories: new phrasing, operations and answer form",
                examples(ArithmeticStories.generate(Distribution.SHIFTED, Split.TRAIN, trainCount, seed)),
                List.of(
                        evaluation("new stories", Distribution.SHIFTED, evaluationCount, seed),
                        evaluation("old stories", Distribution.PRETRAIN, evaluationCount, seed)));
    }

    private static EvaluationSet evaluation(String name, Distribution distribution, int count, long seed) {
        return new EvaluationSet(
                name,
                examples(ArithmeticStories.generate(distribution, Split.EVAL, count, seed)),
                (written, expected) -> distribution.isExactMatch(written, new Story("", expected)));
    }

    private static List<TextExample> examples(List<Story> stories) {
        return stories.stream()
                .map(story -> new TextExample(story.prompt(), story.response()))
                .toList();
    }
}

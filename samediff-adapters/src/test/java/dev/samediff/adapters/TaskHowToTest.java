package dev.samediff.adapters;

import static dev.samediff.adapters.TaskModels.WIDTH;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.predict.PredictionPlan;
import dev.samediff.adapters.predict.TaggedWord;
import dev.samediff.adapters.predict.TextTagger;
import dev.samediff.adapters.serving.ModelPool;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.adapters.task.TextEmbedding;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.CausalLmIterator;
import dev.samediff.adapters.text.batch.ClassificationIterator;
import dev.samediff.adapters.text.batch.MaskedLmIterator;
import dev.samediff.adapters.text.batch.PreferenceIterator;
import dev.samediff.adapters.text.batch.RegressionIterator;
import dev.samediff.adapters.text.batch.SequenceEncoder;
import dev.samediff.adapters.text.batch.SequenceToSequenceIterator;
import dev.samediff.adapters.text.batch.TaggingIterator;
import dev.samediff.adapters.text.batch.TextGroupIterator;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import dev.samediff.adapters.text.jsonl.TaggedTexts;
import dev.samediff.adapters.text.jsonl.TaskExamples;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.ReferenceLogProbabilities;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.metric.Metrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** The code of docs/tasks.md, word for word between the tags, runs and learns. */
class TaskHowToTest {
    private static final BatchPlan BATCHES =
            BatchPlan.of(8, 32).shuffled(1).filling(List.of("input_ids", "attention_mask"));
    private static final BatchPlan IDS = BatchPlan.of(8, 32).shuffled(1);
    private static final TrainingPlan PLAN =
            TrainingPlan.builder().steps(60).learningRate(2e-2).build();

    @TempDir
    Path folder;

    private final Tokenizer tokenizer = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz ");
    private final TaskModels models = new TaskModels(tokenizer.vocabularySize());
    private final SameDiff graph = models.graph();

    private Path file(String name, List<String> lines) throws IOException {
        return Files.write(folder.resolve(name), lines);
    }

    private static List<String> repeated(String... lines) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.addAll(List.of(lines));
        }
        return all;
    }

    private static void assertLearned(TrainingResult result) {
        assertThat(result.finalLoss()).isLessThan(0.8 * result.losses().get(0));
    }

    @Test
    void classification() throws IOException {
        models.encoder();
        List<String> lines = new ArrayList<>(List.of("text,label"));
        lines.addAll(repeated("aaa,first", "zzz,last", "\"mm, m\",middle"));
        file("train.csv", lines);
        file("test.csv", lines);
        // tag::classification
        LabelledTexts train = LabelledTexts.read(folder.resolve("train.csv"));
        LabelledTexts test = LabelledTexts.read(folder.resolve("test.csv"), train.classes());
        TaskHead head = TaskHead.classification(train.classes().size()).withPooling(Pooling.MEAN);
        String logits = head.addTo(graph, "last_hidden_state", WIDTH, "attention_mask");
        AdapterConfig config = AdapterConfig.of(Lora.rank(8)).withModulesToSave("classifier");
        AdaptedModel model = AdaptedModel.inject(graph, config);
        TaskLoss loss = Losses.classification(graph, logits);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask");
        TrainingPlan plan = TrainingPlan.builder()
                .epochs(20)
                .learningRate(1e-2)
                .evaluateEvery(10)
                .restoreBest(true)
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, inputs)) {
            trainer.judgedBy(Metrics.macroF1(logits)).reporting(Metrics.accuracy(logits), Metrics.auc(logits));
            TrainingResult result = trainer.fit(
                    new ClassificationIterator(train.examples(), tokenizer, BATCHES),
                    new ClassificationIterator(test.examples(), tokenizer, BATCHES));
            System.out.println(result.finalEvaluation().orElseThrow().metrics());
            // end::classification
            assertLearned(result);
            assertThat(result.finalEvaluation().orElseThrow().metrics().get("f1_macro"))
                    .isGreaterThan(0.9);
            // tag::classification
        }
        AdapterFolder.save(model.state(), folder.resolve("adapter"));
        // end::classification
        assertThat(AdapterFolder.load(folder.resolve("adapter")).whole()).hasSize(2);
    }

    @Test
    void tagging() throws IOException {
        models.encoder();
        file("train.conll", repeated("aa B-A", "", "qq B-Q", "", "zz O", ""));
        // tag::tagging
        TaggedTexts train = TaggedTexts.read(folder.resolve("train.conll"));
        String logits = TaskHead.tagging(train.classes().size()).addTo(graph, "last_hidden_state", WIDTH);
        AdapterConfig config = AdapterConfig.of(Lora.rank(8)).withModulesToSave("classifier");
        AdaptedModel model = AdaptedModel.inject(graph, config);
        TaskLoss loss = Losses.tokenClassification(graph, logits);
        TaggingIterator data = new TaggingIterator(train.examples(), tokenizer, IDS);
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, Binding.of(loss, "input_ids"))) {
            trainer.judgedBy(Metrics.entityF1(logits, train.classes()));
            TrainingResult result = trainer.fit(data, data);
            // end::tagging
            assertLearned(result);
            assertThat(result.finalEvaluation().orElseThrow().metrics().get("entity_f1"))
                    .isGreaterThan(0.9);
            // tag::tagging
        }
        // end::tagging
    }

    @Test
    void regression() throws IOException {
        models.encoder();
        List<String> lines = new ArrayList<>(List.of("text,score"));
        lines.addAll(repeated("aaa,1", "zzz,-1", "mmm,0.25"));
        file("train.csv", lines);
        // tag::regression
        TaskHead head = TaskHead.regression(1).withPooling(Pooling.MEAN);
        String predictions = head.addTo(graph, "last_hidden_state", WIDTH, "attention_mask");
        AdapterConfig config = AdapterConfig.of(Lora.rank(8)).withModulesToSave("classifier");
        AdaptedModel model = AdaptedModel.inject(graph, config);
        TaskLoss loss = Losses.regression(graph, predictions);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask");
        RegressionIterator data =
                new RegressionIterator(TaskExamples.scored(folder.resolve("train.csv")), tokenizer, BATCHES);
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, inputs)) {
            trainer.reporting(Metrics.spearman(predictions), Metrics.pearson(predictions));
            TrainingResult result = trainer.fit(data, data);
            // end::regression
            assertLearned(result);
            assertThat(result.finalEvaluation().orElseThrow().metrics().get("pearson"))
                    .isGreaterThan(0.9);
            // tag::regression
        }
        // end::regression
    }

    @Test
    void embeddings() throws IOException {
        models.encoder();
        List<String> lines = new ArrayList<>(List.of("anchor,positive"));
        lines.addAll(repeated("aaa,bb", "zzz,yy", "mmm,nn", "fff,gg"));
        file("pairs.csv", lines);
        // tag::embeddings
        String embedding = TextEmbedding.mean().addTo(graph, "last_hidden_state", "attention_mask");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)));
        TaskLoss loss = Losses.contrastive(graph, embedding, 20);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask");
        BatchPlan batches = BatchPlan.of(4, 32).filling(List.of("input_ids", "attention_mask"));
        TextGroupIterator data =
                new TextGroupIterator(TaskExamples.groups(folder.resolve("pairs.csv")), tokenizer, batches);
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, inputs)) {
            TrainingResult result = trainer.fit(data, null);
            // end::embeddings
            assertLearned(result);
            // tag::embeddings
        }
        // end::embeddings
    }

    @Test
    void similarity() throws IOException {
        models.encoder();
        List<String> lines = new ArrayList<>(List.of("sentence1,sentence2,score"));
        lines.addAll(repeated("aaa,bb,0.9", "aaa,yy,-0.5", "mmm,nn,0.4", "mmm,gg,0"));
        file("pairs.csv", lines);
        // tag::similarity
        String embedding = TextEmbedding.mean().addTo(graph, "last_hidden_state", "attention_mask");
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)));
        TaskLoss loss = Losses.cosineSimilarity(graph, embedding);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask");
        TextGroupIterator data =
                new TextGroupIterator(TaskExamples.groups(folder.resolve("pairs.csv")), tokenizer, BATCHES);
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, inputs)) {
            trainer.judgedBy(Metrics.cosineSpearman(embedding));
            TrainingResult result = trainer.fit(data, data);
            // end::similarity
            assertLearned(result);
            // tag::similarity
        }
        // end::similarity
    }

    @Test
    void sequence_to_sequence() throws IOException {
        SDVariable source = models.ids("input_ids");
        SDVariable mask = graph.placeHolder("attention_mask", DataType.INT64, -1, -1);
        SDVariable target = models.ids("decoder_input_ids");
        SDVariable counted = graph.expandDims(mask.castTo(DataType.FLOAT), 2);
        SDVariable read = models.features(source, "encoder").mul(counted).sum(true, 1);
        models.decoder(target, models.features(target, "decoder").add(read));
        file(
                "train.jsonl",
                repeated("{\"prompt\": \"ab\", \"response\": \"xy\"}", "{\"prompt\": \"zz\", \"response\": \"q\"}"));
        // tag::seq2seq
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)));
        TaskLoss loss = Losses.sequenceToSequence(graph, "logits");
        SequenceToSequenceIterator data = new SequenceToSequenceIterator(
                JsonlExamples.read(folder.resolve("train.jsonl")), tokenizer, tokenizer.padId(), BATCHES);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask", "decoder_input_ids");
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, inputs)) {
            trainer.reporting(Metrics.exactMatch("logits"), Metrics.perplexity());
            TrainingResult result = trainer.fit(data, data);
            // end::seq2seq
            assertLearned(result);
            // tag::seq2seq
        }
        // end::seq2seq
    }

    @Test
    void preferences() throws IOException {
        SDVariable source = models.ids("input_ids");
        models.decoder(source, models.features(source, "decoder"));
        file(
                "pairs.jsonl",
                repeated(
                        "{\"prompt\": \"a\", \"chosen\": \"xy\", \"rejected\": \"pq\"}",
                        "{\"prompt\": \"b\", \"chosen\": \"xx\", \"rejected\": \"ppp\"}"));
        // tag::preference
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)));
        TaskLoss loss = Losses.dpo(graph, "logits", 0.1, 0);
        PreferenceIterator pairs = PreferenceIterator.of(
                TaskExamples.preferences(folder.resolve("pairs.jsonl")), SequenceEncoder.of(tokenizer, 32), IDS);
        PreferenceIterator data =
                ReferenceLogProbabilities.add(model, loss, pairs, EngineOptions.defaults(), "input_ids");
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, Binding.of(loss, "input_ids"))) {
            TrainingResult result = trainer.fit(data, null);
            // end::preference
            assertLearned(result);
            // tag::preference
        }
        // end::preference
    }

    @Test
    void masked_language_model() throws IOException {
        SDVariable source = models.ids("input_ids");
        SDVariable mask = graph.placeHolder("attention_mask", DataType.INT64, -1, -1);
        SDVariable counted = graph.expandDims(mask.castTo(DataType.FLOAT), 2);
        SDVariable read = models.features(source, "context").mul(counted).sum(true, 1);
        models.decoder(source, models.features(source, "encoder").add(read));
        file("train.txt", repeated("aaaa", "bbbb", "zzzz"));
        int maskId = tokenizer.unknownId().orElseThrow();
        // tag::masked
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(8)));
        TaskLoss loss = Losses.maskedLm(graph, "logits");
        List<String> texts = Files.readAllLines(folder.resolve("train.txt"));
        MaskedLmIterator data = new MaskedLmIterator(texts, tokenizer, maskId, BATCHES);
        Binding inputs = Binding.of(loss, "input_ids", "attention_mask");
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, inputs)) {
            trainer.reporting(Metrics.accuracy("logits"), Metrics.perplexity());
            TrainingResult result = trainer.fit(data, data);
            // end::masked
            assertLearned(result);
            // tag::masked
        }
        // end::masked
    }

    @Test
    void answers() throws IOException {
        models.encoder();
        String logits = TaskHead.tagging(2).addTo(graph, "last_hidden_state", WIDTH);
        List<String> tags = List.of("B-PER", "O");
        // tag::answers
        try (ModelPool pool = ModelPool.open(graph, Map.of(), PoolOptions.defaults())) {
            TextTagger tagger = TextTagger.of(pool, tokenizer, PredictionPlan.upTo(32), logits, tags);
            List<TaggedWord> words = tagger.predict(TextTagger.words("ann lives here"));
            // end::answers
            assertThat(words.stream().map(TaggedWord::word)).containsExactly("ann", "lives", "here");
            // tag::answers
        }
        // end::answers
    }

    @Test
    void new_tokens() throws IOException {
        SDVariable source = models.ids("input_ids");
        models.decoder(source, models.features(source, "decoder"));
        file("train.jsonl", repeated("{\"text\": \"abcabc\"}"));
        // tag::tokens
        int token = tokenizer.encode("b")[0];
        AdapterConfig config = AdapterConfig.of(Lora.rank(8)).withTrainableTokens(token);
        AdaptedModel model = AdaptedModel.inject(graph, config);
        TaskLoss loss = Losses.causalLm(graph, "logits");
        CausalLmIterator data = new CausalLmIterator(
                SequenceEncoder.of(tokenizer, 32)
                        .encodeAll(JsonlExamples.read(folder.resolve("train.jsonl")))
                        .sequences(),
                tokenizer.padId(),
                IDS);
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, PLAN, Binding.of(loss, "input_ids"))) {
            trainer.reporting(Metrics.perplexity());
            TrainingResult result = trainer.fit(data, data);
            // end::tokens
            assertLearned(result);
            // tag::tokens
        }
        // end::tokens
    }

    @Test
    void every_block_of_the_how_to_is_code_of_this_class() throws IOException {
        List<String> names = List.of(
                "classification",
                "tagging",
                "regression",
                "embeddings",
                "similarity",
                "seq2seq",
                "preference",
                "masked",
                "answers",
                "tokens");
        Path source = Path.of("src/test/java/dev/samediff/adapters/TaskHowToTest.java");
        DocumentedCode code = new DocumentedCode(source);
        assertThat(DocumentedCode.blocks(Path.of("../docs/tasks.md")))
                .containsExactlyInAnyOrderElementsOf(
                        names.stream().map(code::tagged).toList());
    }
}

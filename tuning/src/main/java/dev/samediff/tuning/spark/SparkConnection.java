package dev.samediff.tuning.spark;

import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Connects to Spark with what this project's tasks need. */
final class SparkConnection {
    private static final String LOCAL_CLUSTER = "local-cluster";

    private SparkConnection() {}

    /**
     * Connects. Objects travel by Java serialisation; Kryo breaks ND4J's arrays.
     *
     * @param master such as {@code local[2]}, {@code local-cluster[2,1,1024]} or {@code spark://host:7077}
     * @param threads threads of each task
     * @param name the application's name
     * @throws dev.samediff.adapters.InvalidInputException if this JVM cannot run Spark
     */
    static JavaSparkContext open(String master, int threads, String name) {
        SparkFlags.require();
        SparkConf conf = new SparkConf()
                .setMaster(master)
                .setAppName(name)
                .set("spark.ui.enabled", "false")
                .set("spark.serializer", "org.apache.spark.serializer.JavaSerializer")
                .set("spark.executor.extraJavaOptions", SparkFlags.all())
                .setExecutorEnv("OMP_NUM_THREADS", Integer.toString(threads));
        if (master.startsWith("local")) {
            conf.set("spark.driver.host", "localhost");
        }
        if (master.startsWith(LOCAL_CLUSTER)) {
            conf.set("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                    .setExecutorEnv("SPARK_SCALA_VERSION", "2.12"); // else looked for in the installation
            try (WorkerHome home = WorkerHome.offer()) {
                return new JavaSparkContext(conf);
            }
        }
        return new JavaSparkContext(conf);
    }
}

package dev.samediff.tuning.spark;

import java.security.SecureRandom;
import java.util.HexFormat;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** Connects to Spark with what this project's tasks need. */
final class SparkConnection {
    private static final String LOCAL_CLUSTER = "local-cluster";

    private SparkConnection() {}

    /**
     * Connects. Data are read by {@link ListedSerializer}; Spark's own messages and the code of tasks travel by Spark's Java
     * serialisation, so nobody else may reach the processes: those of this machine know each other by a secret made here, those
     * of a cluster as the cluster is set up ({@code spark.authenticate}).
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
                .set("spark.serializer", ListedSerializer.class.getName())
                .set("spark.executor.extraJavaOptions", SparkFlags.all())
                .setExecutorEnv("OMP_NUM_THREADS", Integer.toString(threads));
        if (master.startsWith("local")) {
            conf.set("spark.driver.host", "localhost")
                    .set("spark.driver.bindAddress", "localhost")
                    .set("spark.authenticate", "true")
                    .set("spark.authenticate.secret", secret());
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

    private static String secret() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}

/* A ClickHouse server out of chdb's library: clickhouse-server LIBRARY [argument of `clickhouse local`]...
 * It runs the query it is given, which starts the listeners and then reads stdin: the server ends when stdin does. */
#include <dlfcn.h>
#include <stdio.h>

typedef void *(*query_cmdline)(int, char **);
typedef const char *(*result_error)(void *);

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s LIBRARY [ARGUMENT]...\n", argv[0]);
    return 2;
  }
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 2;
  }
  query_cmdline query = (query_cmdline)dlsym(library, "chdb_query_cmdline");
  result_error error_of = (result_error)dlsym(library, "chdb_result_error");
  if (query == NULL || error_of == NULL) {
    fprintf(stderr, "%s lacks chdb_query_cmdline\n", argv[1]);
    return 2;
  }
  argv[1] = "clickhouse"; /* what the library takes for its own name */
  void *result = query(argc - 1, argv + 1);
  const char *error = result == NULL ? "no result" : error_of(result);
  if (error != NULL && *error != '\0') {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  return 0;
}

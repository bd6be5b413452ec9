// SPDX-License-Identifier: Apache-2.0
// stop-thread PID THREAD: stops the one thread of the process with that name (`main` is the first),
// and holds it until killed or until the process has ended. Signals stop whole processes; a tracer
// stops threads. Prints STOPPED when the thread stands still.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int has_name(int pid, int tid, const char* name) {
  char path[64];
  char text[32] = "";
  snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, tid);
  FILE* file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fgets(text, sizeof text, file) == NULL) text[0] = '\0';
  fclose(file);
  text[strcspn(text, "\n")] = '\0';
  return strcmp(text, name) == 0;
}

static int find_thread(int pid, const char* name) {
  if (strcmp(name, "main") == 0) return pid;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* tasks = opendir(path);
  if (tasks == NULL) return 0;
  int found = 0;
  for (struct dirent* entry = readdir(tasks); entry != NULL && found == 0; entry = readdir(tasks)) {
    const int tid = atoi(entry->d_name);
    if (tid > 0 && has_name(pid, tid, name)) found = tid;
  }
  closedir(tasks);
  return found;
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const int tid = find_thread(atoi(argv[1]), argv[2]);
  if (tid == 0) {
    fprintf(stderr, "stop-thread: no thread %s in process %s\n", argv[2], argv[1]);
    return 1;
  }
  int status = 0;
  if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0 ||
      waitpid(tid, &status, __WALL) != tid) {
    perror("stop-thread");
    return 1;
  }
  puts("STOPPED");
  fflush(stdout);
  // The stop that INTERRUPT made is never continued; the next report is the end of the process.
  while (waitpid(tid, &status, __WALL) == tid && !WIFEXITED(status) && !WIFSIGNALED(status)) {
  }
  return 0;
}

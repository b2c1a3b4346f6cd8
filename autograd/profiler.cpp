#include "ff/autograd/profiler.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "ff/autograd/scope.h"
#include "ff/core/check.h"
#include "ff/core/io/file.h"

namespace ff {

namespace autograd {
std::atomic<bool> profiling{false};
}  // namespace autograd

namespace {

using Clock = std::chrono::steady_clock;

int this_thread() {
  static std::atomic<int> next{0};
  thread_local const int number = next++;
  return number;
}

double bytes_of(const Tensor& x) {
  return x.defined() ? static_cast<double>(x.numel()) * static_cast<double>(size_of(x.dtype())) : 0;
}

// "blocks.0.attn.q"
std::string module_path(const autograd::Scope* scope) {
  std::string path;
  for (; scope != nullptr; scope = scope->outer.get())
    if (!scope->name.empty()) path = path.empty() ? scope->name : scope->name + "." + path;
  return path;
}

}  // namespace

const char* name(ProfilePhase phase) {
  constexpr const char* names[] = {"forward", "backward", "module", "part"};
  return names[static_cast<int>(phase)];
}

// What a Profiler and the spans that are open share.
class Profiler::Recording {
 public:
  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin_).count();
  }
  void put(ProfileEvent event) {
    const std::lock_guard lock(mutex_);
    if (length_ == 0) events_.push_back(std::move(event));
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    if (length_ == 0) length_ = std::max<std::int64_t>(now(), 1);
  }
  std::int64_t length() const {
    const std::lock_guard lock(mutex_);
    return length_ == 0 ? now() : length_;
  }
  std::vector<ProfileEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  int owner() const { return owner_; }

  // The one that records; null if none does.
  static std::shared_ptr<Recording> current() {
    const std::lock_guard lock(current_mutex);
    return current_;
  }
  static void begin(const std::shared_ptr<Recording>& recording) {
    const std::lock_guard lock(current_mutex);
    check(!current_, "profiler", "another Profiler records");
    current_ = recording;
    autograd::profiling = true;
  }
  static void end(const std::shared_ptr<Recording>& recording) {
    const std::lock_guard lock(current_mutex);
    if (current_ != recording) return;
    autograd::profiling = false;
    current_.reset();
  }

 private:
  static inline std::mutex current_mutex;
  static inline std::shared_ptr<Recording> current_;

  const Clock::time_point begin_ = Clock::now();
  const int owner_ = this_thread();
  mutable std::mutex mutex_;
  std::vector<ProfileEvent> events_;
  std::int64_t length_ = 0;  // 0: still recording
};

// Of this thread, those around each other.
struct ProfileSpan::Open {
  std::shared_ptr<Profiler::Recording> recording;
  ProfileEvent event;
  Open* outer;
  std::int64_t inside = 0;                 // nanoseconds
  bool backward = false;                   // is the gradient of an op, or part of one
  bool has_ops = false;                    // inside
  std::vector<const Storage*> storages{};  // of the inputs
  double read = 0;

  static inline thread_local Open* innermost = nullptr;
};

void ProfileSpan::open(ProfilePhase phase, std::string_view name, const std::vector<Tensor>& inputs) {
  auto recording = Profiler::Recording::current();
  if (!recording) return;
  open_ = new Open{.recording = std::move(recording), .event = {.name = std::string(name)}, .outer = Open::innermost};
  Open::innermost = open_;
  Open* const outer = open_->outer;
  open_->backward = phase == ProfilePhase::backward || (outer && outer->backward);
  const bool op = phase == ProfilePhase::forward || phase == ProfilePhase::backward;
  for (Open* around = outer; op && around && !around->has_ops; around = around->outer) around->has_ops = true;
  ProfileEvent& event = open_->event;
  event.phase = op && open_->backward ? ProfilePhase::backward : phase;
  event.thread = this_thread();
  event.site = CallSite::current();
  event.scope = autograd::current_scope();
  for (const Tensor& input : inputs) {
    if (!input.defined()) continue;
    event.inputs.push_back(input.shape());
    reads(input);
  }
  event.start = open_->recording->now();
}

void ProfileSpan::close() {
  ProfileEvent& event = open_->event;
  event.length = open_->recording->now() - event.start;
  event.self = event.length - open_->inside;
  if (open_->has_ops) event.bytes = 0;
  Open::innermost = open_->outer;
  if (open_->outer && open_->outer->recording == open_->recording) open_->outer->inside += event.length;
  open_->recording->put(std::move(event));
  delete open_;
}

void ProfileSpan::reads(const Tensor& tensor) const {
  if (!open_ || !tensor.defined()) return;
  open_->read += bytes_of(tensor);
  open_->storages.push_back(tensor.storage().get());
}

// Views are neither read nor written.
void ProfileSpan::count(const std::vector<Tensor>& results) const {
  double written = 0;
  for (const Tensor& result : results)
    if (result.defined() &&
        std::find(open_->storages.begin(), open_->storages.end(), result.storage().get()) == open_->storages.end())
      written += bytes_of(result);
  open_->event.bytes = written > 0 ? open_->read + written : 0;
}

Profiler::Profiler() : recording_(std::make_shared<Recording>()) { Recording::begin(recording_); }
Profiler::~Profiler() { stop(); }

void Profiler::stop() {
  Recording::end(recording_);
  recording_->stop();
}

double Profiler::seconds() const { return 1e-9 * static_cast<double>(recording_->length()); }
std::vector<ProfileEvent> Profiler::events() const { return recording_->events(); }

std::vector<Profiler::Row> Profiler::rows() const {
  std::map<std::tuple<bool, ProfilePhase, std::string>, Row> by_name;
  for (const ProfileEvent& event : events()) {
    const bool aside = event.thread != recording_->owner();
    Row& row = by_name[{aside, event.phase, event.name}];
    row.name = event.name, row.phase = event.phase, row.aside = aside;
    ++row.calls;
    row.seconds += 1e-9 * static_cast<double>(event.self);
    row.bytes += event.bytes;
  }
  std::vector<Row> rows;
  for (auto& [key, row] : by_name) rows.push_back(std::move(row));
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::make_pair(a.aside, -a.seconds) < std::make_pair(b.aside, -b.seconds);
  });
  return rows;
}

std::string Profiler::table(std::int64_t steps, std::size_t most) const {
  const double all = seconds(), n = static_cast<double>(steps);
  std::string text =
      fmt::format("{:<26}{:<14}{:>9}{:>11}{:>8}{:>11}{:>8}\n", "", "phase", "calls", "ms", "share", "us each", "GB/s");
  const auto add = [&](const std::string& what, const std::string& phase, const Row& row) {
    const double calls = static_cast<double>(row.calls);
    text +=
        fmt::format("{:<26}{:<14}{:>9.6g}{:>11.3f}{:>8}{:>11.1f}{:>8}\n", what, phase, calls / n, 1e3 * row.seconds / n,
                    row.aside ? "" : fmt::format("{:.1f} %", 100 * row.seconds / all), 1e6 * row.seconds / calls,
                    row.bytes > 0 && row.seconds > 0 ? fmt::format("{:.2f}", 1e-9 * row.bytes / row.seconds) : "");
  };
  const auto merge = [](Row& into, const Row& row) { into.calls += row.calls, into.seconds += row.seconds; };
  Row sum, others;
  std::size_t shown = 0;
  for (const Row& row : rows()) {
    if (!row.aside) merge(sum, row);
    if (row.aside || shown++ < most)
      add(row.name, row.aside ? "other thread" : name(row.phase), row);
    else
      merge(others, row);
  }
  if (others.calls > 0) add(fmt::format("{} others", shown - most), "", others);
  if (sum.calls > 0) add("sum", "", sum);
  return text;
}

void Profiler::save_chrome_trace(const std::string& path) const {
  using Json = nlohmann::ordered_json;
  const int process = static_cast<int>(::getpid());
  std::map<int, std::string> threads{{recording_->owner(), "main"}};
  std::string text = "[\n";
  for (const ProfileEvent& event : events()) {
    threads.emplace(event.thread, fmt::format("thread {}", event.thread));
    Json arguments = Json::object();
    if (!event.inputs.empty()) {
      Json& shapes = arguments["shapes"] = Json::array();
      for (const Shape& shape : event.inputs) shapes.push_back(shape.str());
    }
    if (event.bytes > 0) arguments["bytes"] = static_cast<std::int64_t>(event.bytes);
    if (const std::string module = module_path(event.scope.get()); !module.empty()) arguments["module"] = module;
    if (event.site.known()) arguments["line"] = event.site.str();
    text += Json{{"name", event.name},
                 {"cat", ff::name(event.phase)},
                 {"ph", "X"},
                 {"ts", 1e-3 * static_cast<double>(event.start)},
                 {"dur", 1e-3 * static_cast<double>(event.length)},
                 {"pid", process},
                 {"tid", event.thread},
                 {"args", arguments}}
                .dump(-1, ' ', false, Json::error_handler_t::replace) +
            ",\n";
  }
  const auto label = [&](const char* kind, int thread, const std::string& value) {
    return Json{{"name", kind}, {"ph", "M"}, {"pid", process}, {"tid", thread}, {"args", {{"name", value}}}}.dump();
  };
  for (const auto& [thread, called] : threads) text += label("thread_name", thread, called) + ",\n";
  text += label("process_name", recording_->owner(), "FourierFormer") + "\n]\n";
  io::write_file(path, text);
}

}  // namespace ff

// The rules of the tree that a program can check. Each rule is a function from a tree to what
// breaks it; the tree of this checkout breaks none, and a small made-up tree breaks each.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/generated/places.h"

namespace sagalog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

// Path from the root of the tree -> text; the text of what is no source or document is empty.
using Tree = std::map<std::string, std::string>;
using Violations = std::vector<std::string>;

constexpr std::size_t kFileLinesMax = 599;
constexpr std::size_t kLineColumnsMax = 100;
constexpr std::size_t kFunctionLinesMax = 70;

// In the order of inclusion: each may include itself and those before it.
const std::vector<std::string> kRooms = {"schema", "eventlog", "projections", "reactor", "tools"};
// Rooms that other programs link to.
const std::set<std::string> kLibraryRooms = {"schema", "eventlog", "projections", "reactor"};

std::string Folder(const std::string& path) { return path.substr(0, path.find('/')); }

bool IsCpp(const std::string& path) { return path.ends_with(".h") || path.ends_with(".cc"); }

bool IsCode(const std::string& path) {
  return IsCpp(path) || path.ends_with(".py") || path.ends_with(".fbs") ||
         path.ends_with("CMakeLists.txt");
}

bool IsDocument(const std::string& path) { return path.ends_with(".md"); }

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string At(const std::string& path, std::size_t index) {
  return path + ":" + std::to_string(index + 1);
}

// All matches of the first group of `pattern` in `text`.
std::vector<std::string> Matches(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> matches;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    matches.push_back((*it)[1]);
  }
  return matches;
}

// What the C++ file at a path includes.
using Includes = std::map<std::string, std::vector<std::string>>;

Includes IncludesOf(const Tree& tree) {
  Includes includes;
  for (const auto& [path, text] : tree) {
    if (!IsCpp(path)) continue;
    auto& names = includes[path];
    for (const std::string& line : Lines(text)) {
      const std::size_t start = line.find_first_of("<\"");
      if (!line.starts_with("#include ") || start == line.npos) continue;
      names.push_back(line.substr(start + 1, line.find_first_of(">\"", start + 1) - start - 1));
    }
  }
  return includes;
}

// The line without comment and text literals: what the compiler would run.
std::string CodeOf(const std::string& line) {
  static const std::regex literal(R"re("(\\.|[^"\\])*")re");
  const std::string bare = std::regex_replace(line, literal, "\"\"");
  return bare.substr(0, bare.find("//"));
}

// Lines of C++ files in `folders` whose code matches `pattern`. A line that holds none of `words`
// cannot match: matching is slow.
Violations CodeMatching(const Tree& tree, const std::set<std::string>& folders,
                        const std::vector<std::string>& words, const std::string& pattern) {
  const std::regex banned(pattern);
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (!IsCpp(path) || !folders.contains(Folder(path))) continue;
    const auto lines = Lines(text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const bool may_match = std::any_of(words.begin(), words.end(), [&](const std::string& word) {
        return lines[i].find(word) != word.npos;
      });
      if (may_match && std::regex_search(CodeOf(lines[i]), banned)) {
        violations.push_back(At(path, i));
      }
    }
  }
  return violations;
}

Violations UpwardIncludes(const Tree& tree) {
  const auto rank = [](const std::string& folder) {
    return std::find(kRooms.begin(), kRooms.end(), folder) - kRooms.begin();
  };
  Violations violations;
  for (const auto& [path, includes] : IncludesOf(tree)) {
    if (Folder(path) == "tests") continue;
    for (const std::string& included : includes) {
      const std::string folder = Folder(included);
      const bool is_room = rank(folder) < std::ssize(kRooms);
      if (folder == "tests" || (is_room && rank(folder) > rank(Folder(path)))) {
        violations.push_back(path + " includes " + included);
      }
    }
  }
  return violations;
}

// Folders other than its own and tests/ from which `header` is reached by includes.
std::set<std::string> FoldersThatInclude(const Includes& tree, const std::string& header) {
  std::set<std::string> folders;
  std::set<std::string> reached = {header};
  for (bool grown = true; grown;) {
    grown = false;
    for (const auto& [path, includes] : tree) {
      if (reached.contains(path)) continue;
      const bool reaches =
          std::any_of(includes.begin(), includes.end(),
                      [&](const std::string& name) { return reached.contains(name); });
      if (!reaches) continue;
      grown = reached.insert(path).second;
      if (Folder(path) != Folder(header) && Folder(path) != "tests") folders.insert(Folder(path));
    }
  }
  return folders;
}

// Includes that start with one of `packages` stay inside `folders`, out of headers that others
// include.
Violations EscapedPackage(const Tree& tree, const std::vector<std::string>& packages,
                          const std::set<std::string>& folders) {
  const Includes all = IncludesOf(tree);
  const auto is_of_package = [&](const std::string& name) {
    return std::any_of(packages.begin(), packages.end(),
                       [&](const std::string& package) { return name.starts_with(package); });
  };
  Violations violations;
  for (const auto& [path, includes] : all) {
    if (std::none_of(includes.begin(), includes.end(), is_of_package)) continue;
    if (!folders.contains(Folder(path))) violations.push_back(path);
    if (!path.ends_with(".h") || Folder(path) == "tests") continue;
    for (const std::string& folder : FoldersThatInclude(all, path)) {
      violations.push_back(path + " reaches " + folder);
    }
  }
  return violations;
}

Violations EscapedRocksDb(const Tree& tree) {
  return EscapedPackage(tree, {"rocksdb/"}, {"eventlog", "projections", "tests"});
}

Violations EscapedAsio(const Tree& tree) {
  return EscapedPackage(tree, {"boost/asio", "boost/beast"}, {"reactor"});
}

Violations LongFiles(const Tree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    const std::size_t count = IsCode(path) ? Lines(text).size() : 0;
    if (count > kFileLinesMax) violations.push_back(path + ": " + std::to_string(count));
  }
  return violations;
}

// A table laid out by hand, which clang-format leaves alone, may be wider.
Violations LongLines(const Tree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (!IsCode(path)) continue;
    const auto lines = Lines(text);
    bool by_hand = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].find("// clang-format o") != std::string::npos) {
        by_hand = lines[i].ends_with("off");
      }
      // Columns, not bytes: what continues a character in UTF-8 is not counted.
      const auto columns = std::count_if(lines[i].begin(), lines[i].end(),
                                         [](char c) { return (c & 0xC0) != 0x80; });
      if (by_hand || static_cast<std::size_t>(columns) <= kLineColumnsMax) continue;
      violations.push_back(At(path, i));
    }
  }
  return violations;
}

// Functions outside classes, told by their first and last line standing at the margin.
Violations LongFunctions(const Tree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (!IsCpp(path)) continue;
    const auto lines = Lines(text);
    bool inside = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string& line = lines[i];
      if (line.starts_with("namespace") || line.starts_with("extern")) continue;
      if (!inside && !line.empty() && line[0] != ' ') start = i;
      if (line.ends_with("{")) inside = true;
      if (!line.starts_with("}")) continue;
      inside = false;
      if (line == "}" && i - start + 1 > kFunctionLinesMax) violations.push_back(At(path, start));
    }
  }
  return violations;
}

Violations EmptyNames(const Tree& tree) {
  static const std::regex banned(
      R"re((^|[/_.-])(utils?|helpers?|manager|common|types|impl|misc|v2|new)([/_.-]|$))re");
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (std::regex_search(path, banned)) violations.push_back(path);
  }
  return violations;
}

// A library never prints, exits or sleeps.
Violations LibraryDoesWhatToolsDo(const Tree& tree) {
  const std::string sleep = R"re(\bsleep_(for|until)\b|\bu?sleep\()re";
  const std::string print = R"re(std::(cout|cerr|clog)\b)re";
  // Not a field or a method of that name.
  const std::string exit = R"re((^|[^\w.>:]|std::)_?exit\()re";
  return CodeMatching(tree, kLibraryRooms, {"sleep", "std::c", "exit("},
                      sleep + "|" + print + "|" + exit);
}

// Time is read through the clock alone, so that tests and replays can hold it.
Violations TimeReadElsewhere(const Tree& tree) {
  Tree others = tree;
  static const std::regex clock_file(R"re(^reactor/[a-z_]*clock[a-z_]*\.cc$)re");
  std::erase_if(others, [](const auto& file) { return std::regex_match(file.first, clock_file); });
  return CodeMatching(others, {"schema", "eventlog", "projections", "reactor", "tools", "tests"},
                      {"system_clock", "gettimeofday", "std::time("},
                      R"re(\bsystem_clock::now\b|\bgettimeofday\(|\bstd::time\()re");
}

// Whether `name` is a file or a folder of the tree; `*` stands for any part of one name.
bool Exists(const Tree& tree, std::string name) {
  if (name.ends_with("/")) name.pop_back();
  if (name.find('*') == std::string::npos) {
    const auto inside = tree.lower_bound(name + "/");
    return tree.contains(name) || (inside != tree.end() && inside->first.starts_with(name + "/"));
  }
  static const std::regex special(R"re([.+])re");
  static const std::regex star(R"re(\*)re");
  const std::regex path(
      std::regex_replace(std::regex_replace(name, special, "\\$&"), star, "[^/]*") + "(/.*)?");
  return std::any_of(tree.begin(), tree.end(),
                     [&](const auto& file) { return std::regex_match(file.first, path); });
}

// What a document names in backticks, and the pages that a comment names.
Violations NamedButAbsent(const Tree& tree) {
  static const std::regex in_document(
      R"re(`((?:schema|eventlog|projections|reactor|tools|tests|docs|\.ci)/[\w./*-]*)[^`\n]*`)re");
  static const std::regex in_comment(R"re((?://|#)[^\n"]*\b(docs/[\w/-]+\.md)\b)re");
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (!IsDocument(path) && !IsCode(path)) continue;
    for (const std::string& line : Lines(text)) {
      // Most lines name nothing, and matching is slow.
      if (line.find(IsDocument(path) ? "`" : "docs/") == std::string::npos) continue;
      for (const std::string& name : Matches(line, IsDocument(path) ? in_document : in_comment)) {
        // Generated headers are in the build folder only.
        if (name.ends_with("_generated.h") || Exists(tree, name)) continue;
        violations.push_back(path + " names " + name);
      }
    }
  }
  return violations;
}

// The tests that the page of guarantees names, as `Suite.Name`.
Violations TestsPromisedButAbsent(const Tree& tree) {
  static const std::regex promised(R"re(`([A-Z]\w+\.[A-Z]\w+)`)re");
  static const std::regex definition(R"re(\bTEST(?:_F|_P)?\((\w+),\s+(\w+)\))re");
  std::set<std::string> tests;
  for (const auto& [path, text] : tree) {
    if (!path.ends_with("_test.cc")) continue;
    for (std::sregex_iterator it(text.begin(), text.end(), definition), end; it != end; ++it) {
      tests.insert((*it)[1].str() + "." + (*it)[2].str());
    }
  }
  const auto page = tree.find("docs/guarantees.md");
  Violations violations;
  if (page == tree.end()) return violations;
  for (const std::string& name : Matches(page->second, promised)) {
    if (!tests.contains(name)) violations.push_back(name);
  }
  return violations;
}

Violations GeneratedCode(const Tree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    const bool says_so = IsCpp(path) && text.starts_with("// automatically generated by");
    if (path.ends_with("_generated.h") || says_so) violations.push_back(path);
  }
  return violations;
}

Violations HeadersWithoutPurpose(const Tree& tree) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (!path.ends_with(".h")) continue;
    if (!text.starts_with("// ")) violations.push_back(path + ": no purpose in its first line");
    if (text.find("\n#pragma once\n") == text.npos) violations.push_back(path + ": no pragma");
  }
  return violations;
}

Tree ReadTree(const fs::path& root) {
  Tree tree;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
    const std::string name = it->path().filename();
    const bool foreign = name.starts_with("build") || name == ".git" || name == "__pycache__" ||
                         name == ".sagalog" || name == ".cache";
    if (it->is_directory()) {
      if (foreign) it.disable_recursion_pending();
      continue;
    }
    const std::string path = fs::relative(it->path(), root);
    std::ostringstream text;
    if (IsCode(path) || IsDocument(path)) text << std::ifstream(it->path()).rdbuf();
    tree[path] = text.str();
  }
  return tree;
}

const Tree& ThisTree() {
  static const Tree tree = ReadTree(kSourceDirectory);
  return tree;
}

std::string Repeated(std::string_view line, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += line;
  return text;
}

// The rules, each with this checkout.

TEST(Tidy, IncludesPointDownTheRooms) { EXPECT_THAT(UpwardIncludes(ThisTree()), IsEmpty()); }
TEST(Tidy, RocksDbStaysInItsRooms) { EXPECT_THAT(EscapedRocksDb(ThisTree()), IsEmpty()); }
TEST(Tidy, AsioStaysInTheReactor) { EXPECT_THAT(EscapedAsio(ThisTree()), IsEmpty()); }
TEST(Tidy, FilesAreShort) { EXPECT_THAT(LongFiles(ThisTree()), IsEmpty()); }
TEST(Tidy, LinesAreShort) { EXPECT_THAT(LongLines(ThisTree()), IsEmpty()); }
TEST(Tidy, FunctionsAreShort) { EXPECT_THAT(LongFunctions(ThisTree()), IsEmpty()); }
TEST(Tidy, NamesSaySomething) { EXPECT_THAT(EmptyNames(ThisTree()), IsEmpty()); }
TEST(Tidy, LibrariesNeitherPrintNorExitNorSleep) {
  EXPECT_THAT(LibraryDoesWhatToolsDo(ThisTree()), IsEmpty());
}
TEST(Tidy, TimeIsReadThroughTheClock) { EXPECT_THAT(TimeReadElsewhere(ThisTree()), IsEmpty()); }
TEST(Tidy, NamedPathsExist) { EXPECT_THAT(NamedButAbsent(ThisTree()), IsEmpty()); }
TEST(Tidy, PromisedTestsExist) { EXPECT_THAT(TestsPromisedButAbsent(ThisTree()), IsEmpty()); }
TEST(Tidy, GeneratedCodeIsNotKept) { EXPECT_THAT(GeneratedCode(ThisTree()), IsEmpty()); }
TEST(Tidy, HeadersSayTheirPurpose) { EXPECT_THAT(HeadersWithoutPurpose(ThisTree()), IsEmpty()); }

// The rules, each with a tree that breaks it.

TEST(TidyRule, ThisCheckoutWasRead) {
  EXPECT_TRUE(ThisTree().contains("CMakeLists.txt"));
  EXPECT_TRUE(ThisTree().at("schema/status.h").starts_with("// "));
}

TEST(TidyRule, UpwardIncludeIsFound) {
  const Tree tree = {{"schema/a.h", "#include \"eventlog/b.h\"\n"},
                     {"tools/c.cc", "#include <x>\n#include \"tests/d.h\"\n"},
                     {"reactor/rules/e.cc", "#include \"projections/f.h\"\n"},
                     {"tests/g.cc", "#include \"tools/h.h\"\n"}};
  EXPECT_THAT(UpwardIncludes(tree),
              ElementsAre("schema/a.h includes eventlog/b.h", "tools/c.cc includes tests/d.h"));
}

TEST(TidyRule, PackageIsFoundOutsideItsRoomAndBehindItsHeaders) {
  const Tree tree = {{"eventlog/keys.h", "#include <rocksdb/slice.h>\n"},
                     {"eventlog/log.h", "#include \"eventlog/keys.h\"\n"},
                     {"projections/rows.cc", "#include <rocksdb/db.h>\n"},
                     {"projections/fold.cc", "#include \"eventlog/log.h\"\n"},
                     {"reactor/store.cc", "#include <rocksdb/db.h>\n"},
                     {"tools/cli.cc", "#include <boost/asio.hpp>\n#include <boost/json.hpp>\n"},
                     {"reactor/server.cc", "#include <boost/beast/http.hpp>\n"}};
  EXPECT_THAT(EscapedRocksDb(tree),
              ElementsAre("eventlog/keys.h reaches projections", "reactor/store.cc"));
  EXPECT_THAT(EscapedAsio(tree), ElementsAre("tools/cli.cc"));
}

TEST(TidyRule, LengthIsFound) {
  const std::string wide = Repeated("x", 101) + "\n";
  const std::string function = "int F(int a,\n      int b) {\n" + Repeated("  ++a;\n", 70) + "}\n";
  const Tree tree = {
      {"docs/long.md", Repeated("\n", 1000)},
      {"tools/long.cc", Repeated("\n", 600)},
      {"tools/short.cc", Repeated("\n", 599)},
      {"tools/wide.h", "\n" + Repeated("…", 100) + "\n" + wide},
      {"tools/table.cc", "// clang-format off\n" + wide + "// clang-format on\n" + wide},
      {"tools/deep.cc", "namespace a {\n\nint x = 1;\n" + function + "}\n"},
      {"tools/flat.cc", Repeated("struct A {\n  int a;\n};\n", 30)}};
  EXPECT_THAT(LongFiles(tree), ElementsAre("tools/long.cc: 600"));
  EXPECT_THAT(LongLines(tree), ElementsAre("tools/table.cc:4", "tools/wide.h:3"));
  EXPECT_THAT(LongFunctions(tree), ElementsAre("tools/deep.cc:4"));
}

TEST(TidyRule, EmptyNameIsFound) {
  const Tree tree = {{"tools/string_util.h", ""},
                     {"schema/renewed_types.fbs", ""},
                     {"reactor/impl/decide.cc", ""},
                     {"docs/new-format.md", ""},
                     {"eventlog/renewal.cc", ""}};
  EXPECT_THAT(EmptyNames(tree), ElementsAre("docs/new-format.md", "reactor/impl/decide.cc",
                                            "schema/renewed_types.fbs", "tools/string_util.h"));
}

TEST(TidyRule, PrintExitAndSleepAreFoundInLibrariesOnly) {
  const std::string calls =
      "std::cout << 1;\n  exit(1);\nsaga.exit();\n// exit(\nstd::this_thread::sleep_for(x);\n"
      "Say(\"exit(1)\");\nsaga->exit();\nstd::exit(2);\n";
  const Tree tree = {{"reactor/a.cc", calls}, {"tools/b.cc", calls}};
  EXPECT_THAT(LibraryDoesWhatToolsDo(tree),
              ElementsAre("reactor/a.cc:1", "reactor/a.cc:2", "reactor/a.cc:5", "reactor/a.cc:8"));
}

TEST(TidyRule, TimeReadOutsideTheClockIsFound) {
  const std::string call = "auto now = std::chrono::system_clock::now();\n";
  const Tree tree = {{"reactor/machine_clock.cc", call}, {"reactor/store.cc", call}};
  EXPECT_THAT(TimeReadElsewhere(tree), ElementsAre("reactor/store.cc:1"));
}

TEST(TidyRule, NamedPathThatIsAbsentIsFound) {
  const Tree tree = {
      {"README.md", "`docs/a.md` `tools/test --all` `tests/*_test.cc` `docs/` `reactor/b.h`"},
      {"docs/a.md", "`schema/events_generated.h` `log/` `tests/c*_test.cc`"},
      {"tests/tidy_test.cc",
       "// The rules: docs/rules"
       ".md.\n"},
      {"tools/test", ""}};
  EXPECT_THAT(NamedButAbsent(tree),
              ElementsAre("README.md names reactor/b.h", "docs/a.md names tests/c*_test.cc",
                          "tests/tidy_test.cc names docs/rules.md"));
}

TEST(TidyRule, PromisedTestThatIsAbsentIsFound) {
  const Tree tree = {
      {"docs/guarantees.md", "*Held by* `Lease.Ends`, `Lease.Begins`, `a.b`, `A.B`"},
      {"tests/reactor/lease_test.cc", "TEST(Lease, Ends) {}\nTEST_P(A,\n       B) {}"},
      {"tests/reactor/lease.cc", "TEST(Lease, Begins) {}"}};
  EXPECT_THAT(TestsPromisedButAbsent(tree), ElementsAre("Lease.Begins"));
}

TEST(TidyRule, GeneratedCodeIsFound) {
  const Tree tree = {{"schema/events_generated.h", ""},
                     {"schema/old.h", "// automatically generated by the compiler\n"},
                     {"schema/status.h", "// A value.\n"}};
  EXPECT_THAT(GeneratedCode(tree), ElementsAre("schema/events_generated.h", "schema/old.h"));
}

TEST(TidyRule, HeaderWithoutPurposeIsFound) {
  const Tree tree = {{"schema/a.h", "#pragma once\n"}, {"schema/b.h", "// B.\n#pragma once\n"}};
  EXPECT_THAT(HeadersWithoutPurpose(tree),
              ElementsAre("schema/a.h: no purpose in its first line", "schema/a.h: no pragma"));
}

}  // namespace
}  // namespace sagalog

// The picture as one SVG file: all lanes of a few sagas, of many only whose they were.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/story_words.h"
#include "tools/terminal.h"
#include "tools/timeline_render.h"

namespace sagalog::tools {
namespace {

// Pixels.
constexpr double kWidth = 1280;
constexpr double kLabels = 230;
constexpr double kRight = 44;
constexpr double kTop = 74;
constexpr double kStripRow = 34;
constexpr double kLaneRow = 24;
constexpr double kLegendRow = 20;
constexpr double kLegend = 34 + kLegendRow;
// Of more sagas only the strips are shown.
constexpr std::size_t kExpandedMax = 5;
// Marks that stand closer than this would hide each other.
constexpr double kMarkApart = 11;

constexpr const char* kStyle = R"(
:root{--ground:#fbfbfa;--text:#1d2329;--dim:#68717b;--grid:#e6e8ea;--owned:#b9d4ee;--edge:#5b93c9;
--waiting:#cfd3d8;--unclear:#d3342c;--unclear-soft:#fbe3e1;--grace:#d98a00;--grace-soft:#fdf0d5;
--section:#3b4a8c;--cleaning:#8a63b8;--cleaning-soft:#ece3f6;--good:#1c8050;--mark:#39424c;
--accent:#2563a8;--away:#ebecee}
@media (prefers-color-scheme:dark){:root{--ground:#14181d;--text:#e4e8ec;--dim:#93a0ad;
--grid:#2a3139;--owned:#274a6d;--edge:#5f9bd6;--waiting:#4a525c;--unclear:#ff6a5e;
--unclear-soft:#43211f;--grace:#f0ad3c;--grace-soft:#3d3016;--section:#7f8fe0;--cleaning:#b18be0;
--cleaning-soft:#32273f;--good:#4cc38a;--mark:#c9d2db;--accent:#7db4ee;--away:#272d34}}
text{font:12px system-ui,"Segoe UI","Noto Sans",sans-serif;fill:var(--text)}
.dim{fill:var(--dim);font-size:11px}.name{font-weight:600}.title{font-size:15px;font-weight:650}
.waiting{fill:var(--waiting)}.owned,.lease{fill:var(--owned);stroke:var(--edge)}
.dispatched{fill:var(--ground);stroke:var(--edge);stroke-dasharray:4 3}
.finalising{fill:var(--grace-soft);stroke:var(--grace)}
.grace{fill:url(#grace);stroke:var(--grace)}.unclear{fill:url(#unclear);stroke:var(--unclear)}
.cleaning,.claim{fill:var(--cleaning-soft);stroke:var(--cleaning)}
.owing{fill:url(#owing);stroke:var(--cleaning)}.silence{fill:var(--ground)}
.lapsed{fill:var(--unclear-soft);stroke:var(--unclear);stroke-dasharray:4 3}
.section{fill:var(--section)}.away{fill:var(--away)}
.acquired,.decision{fill:var(--accent)}.exit{fill:var(--mark)}.note{fill:var(--dim)}
.refused{stroke:var(--unclear);stroke-width:2.4;fill:none;stroke-linecap:round}
.completed,.cleaned{fill:var(--good)}.ended,.cleaning_failed{fill:var(--unclear)}
.clock{fill:none;stroke:var(--grace);stroke-width:2}.restored{fill:var(--dim)}
.tick{stroke:var(--text);stroke-width:1;opacity:.6}.grid{stroke:var(--grid)}
.ground{fill:var(--ground)}
)";

// Text inside an element or an attribute. What XML cannot hold at all becomes U+FFFD.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        out +=
            static_cast<unsigned char>(c) < 0x20 ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    }
  }
  return out;
}

std::string SafeText(std::string_view text) { return Escaped(Printable(text)); }

bool IsMark(TimelineKind kind) {
  return (kind >= TimelineKind::kAcquired && kind <= TimelineKind::kCleaningFailed) ||
         kind == TimelineKind::kClock || kind == TimelineKind::kRestored;
}

// What part of a row a bar takes.
double PartOf(TimelineKind kind) {
  switch (kind) {
    case TimelineKind::kWaiting: return 0.12;
    case TimelineKind::kUnclear: return 0.8;
    case TimelineKind::kGrace: return 0.74;
    case TimelineKind::kOwing:
    case TimelineKind::kSection: return 0.36;
    case TimelineKind::kSilence: return 0.26;
    default: return 0.58;
  }
}

const char* GlyphOf(TimelineKind kind) {
  switch (kind) {
    case TimelineKind::kAcquired: return "M-4,-5 L5,0 L-4,5 Z";
    case TimelineKind::kExit: return "M-4,-4 H4 V4 H-4 Z";
    case TimelineKind::kRefused: return "M-4.5,-4.5 L4.5,4.5 M-4.5,4.5 L4.5,-4.5";
    case TimelineKind::kDecision: return "M0,-6.5 L6.5,0 L0,6.5 L-6.5,0 Z";
    case TimelineKind::kEndedBadly: return "M-5.5,-5.5 H5.5 V5.5 H-5.5 Z";
    case TimelineKind::kCleaningFailed: return "M0,-5 L5,4.5 H-5 Z";
    case TimelineKind::kNote: return "M0,-2.5 A2.5,2.5 0 1 1 0,2.5 A2.5,2.5 0 1 1 0,-2.5 Z";
    default: return "M0,-5.5 A5.5,5.5 0 1 1 0,5.5 A5.5,5.5 0 1 1 0,-5.5 Z";
  }
}

// Of 2 to 8 parts, each a round length of time.
Duration GridStep(Duration length) {
  using std::chrono::milliseconds;
  constexpr std::int64_t kPartsMax = 8;
  for (const std::int64_t seconds :
       {1,     2,     5,      10,     15,      30,      60,      120,
        300,   600,   900,    1800,   3600,    7200,    10800,   21600,
        43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000}) {
    const Duration step = std::chrono::seconds(seconds);
    if (length / step <= kPartsMax) {
      return length < Duration(std::chrono::seconds(2)) ? Duration(milliseconds(250)) : step;
    }
  }
  return std::chrono::seconds(31536000) *
         std::max<std::int64_t>(1, length / std::chrono::seconds(31536000) / kPartsMax);
}

class Drawing {
 public:
  explicit Drawing(const Timeline& timeline)
      : timeline_(timeline), expanded_(timeline.sagas.size() <= kExpandedMax) {}

  std::string Draw() {
    height_ = kTop + (timeline_.store.empty() ? 0 : kStripRow) + kLegend;
    for (const TimelineSaga& saga : timeline_.sagas) {
      height_ += kStripRow + (expanded_ ? kLaneRow * double(saga.lanes.size() - 1) : 0);
    }
    Head();
    Grid();
    double y = kTop;
    if (!timeline_.store.empty()) {
      Store(y);
      y += kStripRow;
    }
    for (const TimelineSaga& saga : timeline_.sagas) {
      y = DrawSaga(saga, y);
    }
    Legend(y);
    return std::move(out_) + "</svg>\n";
  }

 private:
  [[nodiscard]] double XOf(StoreTime time) const {
    const double length = std::max<double>(1, double((timeline_.to - timeline_.from).count()));
    return kLabels + double((time - timeline_.from).count()) / length * (kWidth - kLabels - kRight);
  }

  void Head() {
    out_ = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
        "viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n<style>{2}</style>\n<defs>",
        kWidth, height_, kStyle);
    for (const auto& [id, name] : {std::pair{"unclear", "unclear"}, std::pair{"grace", "grace"},
                                   std::pair{"owing", "cleaning"}}) {
      out_ += fmt::format(
          "<pattern id=\"{0}\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" "
          "patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" "
          "style=\"fill:var(--{1}-soft)\"/><rect width=\"2.4\" height=\"7\" "
          "style=\"fill:var(--{1})\"/></pattern>",
          id, name);
    }
    out_ += "</defs>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n";
    Text(16, 24, "title", "sagalog timeline");
    Text(16, 42, "dim",
         fmt::format("{} to {}, as of event {}{}{}", DateAndTime(timeline_.from),
                     DateAndTime(timeline_.to), timeline_.last.value(),
                     timeline_.ticks_left_out == 0
                         ? ""
                         : fmt::format("; {} heartbeats are not drawn", timeline_.ticks_left_out),
                     timeline_.damage.empty() ? "" : "; the log is damaged: " + timeline_.damage));
  }

  // At round times, so many apart that there are few enough.
  void Grid() {
    const Duration step = GridStep(timeline_.to - timeline_.from);
    const std::int64_t size = step.count();
    StoreTime at = TimeFromMicros((ToMicros(timeline_.from) + size - 1) / size * size);
    for (; at <= timeline_.to; at += step) {
      out_ += fmt::format("<path class=\"grid\" d=\"M{0:.1f},{1}V{2}\"/>", XOf(at), kTop - 4,
                          height_ - kLegend);
      out_ += fmt::format(
          "<text class=\"dim\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}"
          "</text>\n",
          XOf(at), kTop - 10,
          step >= std::chrono::hours(24) ? DateAndTime(at).substr(0, 10) : TimeOfDay(at));
    }
  }

  void Text(double x, double y, const char* style, std::string_view text) {
    out_ += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>\n", style, x, y,
                        SafeText(text));
  }

  void Bar(const TimelineItem& item, double y, double row) {
    const double height = row * PartOf(item.kind);
    const double x = XOf(item.from);
    const double width = std::max(XOf(item.to) - x, 1.5);
    out_ += fmt::format(
        "<g><title>{}</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" "
        "width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\"/>",
        SafeText(item.text), TimelineKindName(item.kind), x, y + (row - height) / 2, width, height);
    const bool room = double(DisplayWidth(item.label)) * 6.6 + 12 < width;
    if (!item.label.empty() && room && height > 8) {
      const bool hatched = item.kind == TimelineKind::kUnclear || item.kind == TimelineKind::kGrace;
      const char* soft = item.kind == TimelineKind::kGrace ? "grace" : "unclear";
      out_ += fmt::format(
          "<text x=\"{:.1f}\" y=\"{:.1f}\" style=\"font-size:11px{}\">{}</text>", x + 6,
          y + row / 2 + 4,
          hatched ? fmt::format(";paint-order:stroke;stroke:var(--{}-soft);stroke-width:4px", soft)
                  : (item.kind == TimelineKind::kSection ? ";fill:var(--ground)" : ""),
          SafeText(item.label));
    }
    out_ += "</g>\n";
  }

  void Glyph(const TimelineItem& item, double x, double y) {
    out_ += fmt::format(
        "<path class=\"{}\" transform=\"translate({:.1f},{:.1f})\" d=\"{}\">"
        "<title>{}</title></path>\n",
        TimelineKindName(item.kind), x, y, GlyphOf(item.kind), SafeText(item.text));
  }

  // The bars of a row, then its ticks, then its marks, spread where they stand too close.
  void Row(const TimelineSaga& saga, std::uint32_t lane, double y, double row, bool all_marks) {
    for (const bool sections : {false, true}) {
      for (const TimelineItem& item : saga.items) {
        if (item.lane == lane && !IsMark(item.kind) &&
            (item.kind == TimelineKind::kSection) == sections) {
          Bar(item, y, row);
        }
      }
    }
    double last = -1;
    for (const StoreTime tick : saga.lanes[lane].ticks) {
      const double x = XOf(tick);
      if (x - last >= 1.5) {
        last = x;
        out_ += fmt::format("<path class=\"tick\" d=\"M{:.1f},{:.1f}v{:.1f}\"/>", x, y + row * 0.5,
                            row * 0.28);
      }
    }
    last = -kMarkApart;
    for (const TimelineItem& item : saga.items) {
      const bool hides = lane == 0 && item.kind == TimelineKind::kNote;  // the owner's name
      const bool shown =
          (item.lane == lane && !hides) ||
          (all_marks && item.kind != TimelineKind::kNote && item.kind != TimelineKind::kAcquired);
      if (IsMark(item.kind) && shown) {
        last = std::max(XOf(item.from), last + kMarkApart);
        Glyph(item, last, y + row / 2);
      }
    }
  }

  double DrawSaga(const TimelineSaga& saga, double y) {
    out_ += fmt::format("<path class=\"grid\" d=\"M0,{}H{}\"/>", y, kWidth);
    Text(16, y + 15, "name", CutToWidth(Printable(saga.id), 30));
    Text(16, y + 28, "dim",
         fmt::format("{}{}{}",
                     saga.unclear == Duration::zero() ? "" : "unclear " + Span(saga.unclear) + ", ",
                     saga.grace == Duration::zero() ? "" : "in grace " + Span(saga.grace) + ", ",
                     schema::EnumNameState(saga.state)));
    Row(saga, 0, y, kStripRow, !expanded_);
    y += kStripRow;
    for (std::uint32_t lane = 1; expanded_ && lane < saga.lanes.size(); ++lane, y += kLaneRow) {
      const TimelineLane& row = saga.lanes[lane];
      Text(28, y + 16, "dim",
           CutToWidth(Printable(row.name), row.role == "actor" ? 20 : 32) +
               (row.role == "actor" ? " (not an owner)" : ""));
      Row(saga, lane, y, kLaneRow, false);
    }
    return y;
  }

  void Store(double y) {
    Text(16, y + kStripRow / 2 + 4, "name", "store");
    for (const TimelineItem& item : timeline_.store) {
      if (item.kind == TimelineKind::kAway) {
        out_ += fmt::format(
            "<rect class=\"away\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>{}"
            "</title></rect>\n",
            XOf(item.from), y, std::max(XOf(item.to) - XOf(item.from), 1.5), height_ - kLegend - y,
            SafeText(item.text));
      } else {
        Glyph(item, XOf(item.from), y + kStripRow / 2);
      }
    }
  }

  void Legend(double y) {
    constexpr std::array<std::pair<TimelineKind, const char*>, 14> kEntries = {
        {{TimelineKind::kWaiting, "waiting"},
         {TimelineKind::kOwned, "owned"},
         {TimelineKind::kUnclear, "unclear"},
         {TimelineKind::kGrace, "in grace"},
         {TimelineKind::kFinalising, "finalising"},
         {TimelineKind::kSection, "in a section"},
         {TimelineKind::kLapsed, "lease over"},
         {TimelineKind::kOwing, "clean-up owed"},
         {TimelineKind::kCleaning, "being undone"},
         {TimelineKind::kAcquired, "acquired"},
         {TimelineKind::kRefused, "refused"},
         {TimelineKind::kDecision, "decision"},
         {TimelineKind::kCompleted, "completed"},
         {TimelineKind::kEndedBadly, "ended otherwise"}}};
    double x = 16;
    for (const auto& [kind, name] : kEntries) {
      const double width = 46 + 7.0 * double(std::string_view(name).size());
      if (x + width > kWidth) {
        x = 16;
        y += kLegendRow;
      }
      if (IsMark(kind)) {
        out_ += fmt::format("<path class=\"{}\" transform=\"translate({},{})\" d=\"{}\"/>",
                            TimelineKindName(kind), x + 12, y + 18, GlyphOf(kind));
      } else {
        out_ += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"24\" height=\"12\"/>",
                            TimelineKindName(kind), x, y + 12);
      }
      Text(x + 30, y + 22, "dim", name);
      x += width;
    }
  }

  const Timeline& timeline_;
  const bool expanded_;
  double height_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> TimelineSvg(const Timeline& timeline) {
  if (timeline.sagas.size() > kTimelineSvgSagasMax) {
    return Status(Code::kInvalidArgument,
                  fmt::format("{} sagas are too many for an SVG, which shows {} at most: name "
                              "sagas, narrow the window with --from and --to, or take --format "
                              "html",
                              timeline.sagas.size(), kTimelineSvgSagasMax));
  }
  return Drawing(timeline).Draw();
}

}  // namespace sagalog::tools

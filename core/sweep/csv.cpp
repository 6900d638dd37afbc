// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <locale>
#include <sstream>

#include "core/sweep/sweep.h"

namespace quantoscope::sweep {

std::string toCsv(const SweepResult& result)
{
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out.precision(10);
    std::string comment = result.scope + "; " + result.data + (result.complete ? "" : "; cancelled, incomplete");
    std::replace(comment.begin(), comment.end(), '\n', ' ');
    out << "# " << comment << '\n'
        << "weight_bits,activation_bits,images,top1,top1_low,top1_high,delta_top1,delta_low,delta_high,p_value,"
           "agreement,"
           "size_bytes,bops,energy_pj\n";
    for (const auto& point : result.points) {
        const auto& paired = point.againstFloat;
        out << toString(point.weightBits) << ',' << toString(point.activationBits) << ',' << point.images << ','
            << point.top1 << ',' << point.top1Interval.low << ',' << point.top1Interval.high << ',' << paired.delta
            << ',' << paired.deltaInterval.low << ',' << paired.deltaInterval.high << ',' << paired.pValue << ','
            << paired.agreement << ',' << point.cost.sizeBytes << ',' << point.cost.bops << ',' << point.cost.energyPj
            << '\n';
    }
    return out.str();
}

} // namespace quantoscope::sweep

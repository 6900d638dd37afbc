// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/registry.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

constexpr std::array fastTables = {
    KernelTable { onednnConvolutionKernels },
    KernelTable { onednnMatmulKernels },
    KernelTable { onednnPoolingKernels },
    KernelTable { onednnNormalizationKernels },
    KernelTable { mathKernels },
    KernelTable { activationKernels },
    KernelTable { arithmeticKernels },
    KernelTable { comparisonKernels },
    KernelTable { variadicKernels },
    KernelTable { concatKernels },
    KernelTable { padKernels },
    KernelTable { permuteKernels },
    KernelTable { shapeKernels },
    KernelTable { generatorKernels },
    KernelTable { gatherKernels },
    KernelTable { scanKernels },
    KernelTable { resizeKernels },
    KernelTable { reductionKernels },
    KernelTable { selectionKernels },
    KernelTable { normalizationKernels },
    KernelTable { quantizeKernels },
};

constexpr std::array referenceTables = {
    KernelTable { referenceConvolutionKernels },
    KernelTable { referenceMatmulKernels },
    KernelTable { referencePoolingKernels },
    KernelTable { referenceNormalizationKernels },
    KernelTable { referenceSoftmaxKernels },
    KernelTable { referenceElementwiseKernels },
    KernelTable { referenceMovementKernels },
    KernelTable { referenceReductionKernels },
};

using Index = std::map<std::string_view, const KernelRegistration*>;

const Index& index(KernelSet set)
{
    static const auto build = [](std::span<const KernelTable> tables) {
        Index result;
        for (KernelTable table : tables) {
            for (const KernelRegistration& registration : table())
                result.emplace(registration.opType, &registration);
        }
        return result;
    };
    static const Index fast = build(kernelTables(KernelSet::Fast));
    static const Index reference = build(kernelTables(KernelSet::Reference));
    return set == KernelSet::Fast ? fast : reference;
}

} // namespace

std::span<const KernelTable> kernelTables(KernelSet set)
{
    if (set == KernelSet::Fast)
        return fastTables;
    return referenceTables;
}

const KernelRegistration* findKernelOnlyIn(std::string_view opType, KernelSet set)
{
    const Index& kernels = index(set);
    const auto found = kernels.find(opType);
    return found == kernels.end() ? nullptr : found->second;
}

const KernelRegistration* findKernel(std::string_view opType, KernelSet set)
{
    if (const KernelRegistration* preferred = findKernelOnlyIn(opType, set))
        return preferred;
    return findKernelOnlyIn(opType, set == KernelSet::Fast ? KernelSet::Reference : KernelSet::Fast);
}

std::vector<std::string_view> supportedOperators()
{
    std::vector<std::string_view> names;
    for (KernelSet set : { KernelSet::Fast, KernelSet::Reference }) {
        for (const auto& [name, registration] : index(set))
            names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

} // namespace quantoscope::engine

// Denormal numbers as zeros, on the calling thread and on the threads that libtorch computes with for it.
// libtorch has the switch, but `tch` does not reach it, and libtorch sets it on the calling thread alone.

#include <cstdint>
#include <exception>

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

// Whether the processor knows the switch and all threads have it set.
extern "C" bool mgr_flush_denormals(bool on) {
    if (!at::Context::setFlushDenormal(on)) {
        return false;
    }
    try {
        // A loop of one element for each thread, run by libtorch's own pool: its threads belong to the calling thread.
        at::Tensor places = at::empty({at::get_num_threads()}, at::kFloat);
        at::TensorIteratorConfig config;
        at::TensorIterator loop = config.check_all_same_dtype(false).resize_outputs(false).add_output(places).build();
        loop.for_each([on](char**, const int64_t*, int64_t) { at::Context::setFlushDenormal(on); }, /*grain_size=*/1);
        return true;
    } catch (const std::exception&) {
        at::Context::setFlushDenormal(!on);
        return false;
    }
}

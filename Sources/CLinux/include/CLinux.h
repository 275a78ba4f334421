#pragma once
#include "blocking_thread.h"
#include "bpf.h"

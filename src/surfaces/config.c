#include "surfaces/config.h"

#include "ec2fs/text/permission.h"

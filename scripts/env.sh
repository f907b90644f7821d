# SPDX-License-Identifier: Apache-2.0
# Source this in bash to use what `make setup` built: virtual environment, ROS 2, workspace, middleware profile.

KATA_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export KATA_ROOT

# The wheels' bootstrapper keeps these two of whichever environment came first, so a second one would load the first one's libraries.
if [ -n "${_ROS_WHEELS_BOOTSTRAP_COMPLETE:-}" ] && [ "${KATA_ENV:-}" != "$KATA_ROOT" ]; then
  unset _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
fi
export KATA_ENV="$KATA_ROOT"

for _kata_distro in jazzy kilted; do
  if [ -z "${KATA_BARE:-}" ] && [ -f "/opt/ros/$_kata_distro/setup.bash" ]; then
    . "/opt/ros/$_kata_distro/setup.bash"
    break
  fi
done
unset _kata_distro

export VIRTUAL_ENV="$KATA_ROOT/.venv"
case ":$PATH:" in *":$VIRTUAL_ENV/bin:"*) ;; *) PATH="$VIRTUAL_ENV/bin:$PATH" ;; esac
export PATH
if [ -z "${ROS_DISTRO:-}" ] || [ ! -d "/opt/ros/${ROS_DISTRO:-}" ]; then
  ROS_DISTRO="$(cat "$VIRTUAL_ENV/ros-distro" 2>/dev/null || echo jazzy)"
  export ROS_DISTRO
  export AMENT_PREFIX_PATH="$VIRTUAL_ENV"
  # On a bare machine nothing outside it takes part, and discovery stays off the network.
  export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
fi
# shellcheck disable=SC1091
[ -f "$KATA_ROOT/install/local_setup.bash" ] && . "$KATA_ROOT/install/local_setup.bash"

# Jazzy's Fast DDS reads the first name, Kilted's the second.
export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$KATA_ROOT/config/fastdds_profile.xml}"
export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$FASTRTPS_DEFAULT_PROFILES_FILE}"
export MUJOCO_GL="${MUJOCO_GL:-egl}"

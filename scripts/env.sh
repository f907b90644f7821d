# SPDX-License-Identifier: Apache-2.0
# Source this in bash to use what `make setup` built: virtual environment, ROS 2, workspace, middleware profile.

KATA_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export KATA_ROOT

# The wheels' bootstrapper keeps these two of whichever environment came first, so a second one would load the first one's libraries.
if [ -n "${_ROS_WHEELS_BOOTSTRAP_COMPLETE:-}" ] && [ "${KATA_ENV:-}" != "$KATA_ROOT" ]; then
  unset _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH
fi
export KATA_ENV="$KATA_ROOT"

export VIRTUAL_ENV="$KATA_ROOT/.venv"
_kata_ros="$(cat "$VIRTUAL_ENV/ros" 2>/dev/null)"  # a path, or a distribution of the wheels
case "$_kata_ros" in
  /*)
    . "$_kata_ros/setup.bash"
    ;;
  *)
    export ROS_DISTRO="${_kata_ros:-jazzy}"
    export AMENT_PREFIX_PATH="$VIRTUAL_ENV"
    # On a bare machine nothing outside it takes part, and discovery stays off the network.
    export ROS_AUTOMATIC_DISCOVERY_RANGE="${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}"
    ;;
esac
unset _kata_ros

# After ROS 2, whose python3 must not come first.
case "$PATH" in "$VIRTUAL_ENV/bin:"*) ;; *) export PATH="$VIRTUAL_ENV/bin:$PATH" ;; esac
# shellcheck disable=SC1091
[ -f "$KATA_ROOT/install/local_setup.bash" ] && . "$KATA_ROOT/install/local_setup.bash"

# Fast DDS of Jazzy reads the first name; later ones read the second, and warn of the first.
if [ "$ROS_DISTRO" = jazzy ]; then
  export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$KATA_ROOT/config/fastdds_profile.xml}"
else
  export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$KATA_ROOT/config/fastdds_profile.xml}"
fi
export MUJOCO_GL="${MUJOCO_GL:-egl}"

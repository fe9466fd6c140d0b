/* known_store.h: a query's topic, table and rejects, for commands that look at what there is: what
 * no setting says is taken from the checkpoint, which knows it.
 *
 * A run goes by settings and defaults alone (config_store_options()), and so does what judges a run
 * beforehand (`doctor`). A setting that is given explicitly counts here, too, even if a checkpoint
 * says something else: that is a fault of the one or the other, which the command then reports. */
#ifndef SURFACES_SETTINGS_KNOWN_STORE_H
#define SURFACES_SETTINGS_KNOWN_STORE_H

#include "surfaces/settings/config.h"

/* Where the value that is used comes from. */
enum known_origin {
    KNOWN_DEFAULT,    // the settings' defaults, which the checkpoint does not contradict
    KNOWN_SETTING,    // given explicitly
    KNOWN_CHECKPOINT, // not given, and not the default
};

const char *known_origin_name(enum known_origin origin); // "default", "setting", "checkpoint"

struct known_store {
    struct store_options store; // its texts are owned by this struct, the rest by the config
    enum known_origin topic_from, table_from, rejects_from;
    struct name_list columns; // owned; those of `store`, unless the config has them
};

void known_store_init(struct known_store *known, const struct config *config,
                      const struct stream *stream);
void known_store_deinit(struct known_store *known);

#endif

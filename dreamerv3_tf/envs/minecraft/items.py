"""Item names of Minecraft 1.11.2 and the facts that the task needs; data only.

Source: item registry of Minecraft 1.11.2 as MineRL 0.4.4 lists it. Variants share a
name: granite is `stone`, all planks are `planks`, lapis lazuli is `dye`.
"""

from __future__ import annotations

_NAMES = """
    acacia_boat acacia_door acacia_fence acacia_fence_gate acacia_stairs
    activator_rail air anvil apple armor_stand arrow baked_potato banner barrier
    beacon bed bedrock beef beetroot beetroot_seeds beetroot_soup birch_boat
    birch_door birch_fence birch_fence_gate birch_stairs black_shulker_box
    blaze_powder blaze_rod blue_shulker_box boat bone bone_block book bookshelf
    bow bowl bread brewing_stand brick brick_block brick_stairs brown_mushroom
    brown_mushroom_block brown_shulker_box bucket cactus cake carpet carrot
    carrot_on_a_stick cauldron chain_command_block chainmail_boots
    chainmail_chestplate chainmail_helmet chainmail_leggings chest
    chest_minecart chicken chorus_flower chorus_fruit chorus_fruit_popped
    chorus_plant clay clay_ball clock coal coal_block coal_ore cobblestone
    cobblestone_wall command_block command_block_minecart comparator compass
    cooked_beef cooked_chicken cooked_fish cooked_mutton cooked_porkchop
    cooked_rabbit cookie crafting_table cyan_shulker_box dark_oak_boat
    dark_oak_door dark_oak_fence dark_oak_fence_gate dark_oak_stairs
    daylight_detector deadbush detector_rail diamond diamond_axe diamond_block
    diamond_boots diamond_chestplate diamond_helmet diamond_hoe
    diamond_horse_armor diamond_leggings diamond_ore diamond_pickaxe
    diamond_shovel diamond_sword dirt dispenser double_plant dragon_breath
    dragon_egg dropper dye egg elytra emerald emerald_block emerald_ore
    enchanted_book enchanting_table end_bricks end_crystal end_portal_frame
    end_rod end_stone ender_chest ender_eye ender_pearl experience_bottle
    farmland feather fence fence_gate fermented_spider_eye filled_map
    fire_charge firework_charge fireworks fish fishing_rod flint flint_and_steel
    flower_pot furnace furnace_minecart ghast_tear glass glass_bottle glass_pane
    glowstone glowstone_dust gold_block gold_ingot gold_nugget gold_ore
    golden_apple golden_axe golden_boots golden_carrot golden_chestplate
    golden_helmet golden_hoe golden_horse_armor golden_leggings golden_pickaxe
    golden_rail golden_shovel golden_sword grass grass_path gravel
    gray_shulker_box green_shulker_box gunpowder hardened_clay hay_block
    heavy_weighted_pressure_plate hopper hopper_minecart ice iron_axe iron_bars
    iron_block iron_boots iron_chestplate iron_door iron_helmet iron_hoe
    iron_horse_armor iron_ingot iron_leggings iron_nugget iron_ore iron_pickaxe
    iron_shovel iron_sword iron_trapdoor item_frame jukebox jungle_boat
    jungle_door jungle_fence jungle_fence_gate jungle_stairs ladder lapis_block
    lapis_ore lava_bucket lead leather leather_boots leather_chestplate
    leather_helmet leather_leggings leaves leaves2 lever light_blue_shulker_box
    light_weighted_pressure_plate lime_shulker_box lingering_potion lit_pumpkin
    log log2 magenta_shulker_box magma magma_cream map melon melon_block
    melon_seeds milk_bucket minecart mob_spawner monster_egg mossy_cobblestone
    mushroom_stew mutton mycelium name_tag nether_brick nether_brick_fence
    nether_brick_stairs nether_star nether_wart nether_wart_block netherbrick
    netherrack noteblock oak_stairs observer obsidian orange_shulker_box
    packed_ice painting paper pink_shulker_box piston planks poisonous_potato
    porkchop potato potion prismarine prismarine_crystals prismarine_shard
    pumpkin pumpkin_pie pumpkin_seeds purple_shulker_box purpur_block
    purpur_pillar purpur_slab purpur_stairs quartz quartz_block quartz_ore
    quartz_stairs rabbit rabbit_foot rabbit_hide rabbit_stew rail record_11
    record_13 record_blocks record_cat record_chirp record_far record_mall
    record_mellohi record_stal record_strad record_wait record_ward red_flower
    red_mushroom red_mushroom_block red_nether_brick red_sandstone
    red_sandstone_stairs red_shulker_box redstone redstone_block redstone_lamp
    redstone_ore redstone_torch reeds repeater repeating_command_block
    rotten_flesh saddle sand sandstone sandstone_stairs sapling sea_lantern
    shears shield shulker_shell sign silver_shulker_box skull slime slime_ball
    snow snow_layer snowball soul_sand spawn_egg speckled_melon spectral_arrow
    spider_eye splash_potion sponge spruce_boat spruce_door spruce_fence
    spruce_fence_gate spruce_stairs stained_glass stained_glass_pane
    stained_hardened_clay stick sticky_piston stone stone_axe stone_brick_stairs
    stone_button stone_hoe stone_pickaxe stone_pressure_plate stone_shovel
    stone_slab stone_slab2 stone_stairs stone_sword stonebrick string
    structure_block structure_void sugar tallgrass tipped_arrow tnt tnt_minecart
    torch totem_of_undying trapdoor trapped_chest tripwire_hook vine
    water_bucket waterlily web wheat wheat_seeds white_shulker_box wooden_axe
    wooden_button wooden_door wooden_hoe wooden_pickaxe wooden_pressure_plate
    wooden_shovel wooden_slab wooden_sword wool writable_book written_book
    yellow_flower yellow_shulker_box
"""

NAMES: tuple[str, ...] = tuple(_NAMES.split())
"""All 392 items, sorted as plain strings; `air` is what an empty slot holds."""

INVENTORY: tuple[str, ...] = tuple(name for name in NAMES if name != "log2")
"""The 391 entries of the observation `inventory`; `log2` counts as `log`."""

EQUIPPED: tuple[str, ...] = tuple(sorted((*NAMES, "other")))
"""The 393 entries of the observation `equipped`."""

ITEM: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
"""Number of an item: its index in `NAMES`."""

AIR = ITEM["air"]
LOG, LOG2 = ITEM["log"], ITEM["log2"]

SLOTS = 365
"""Slots of the player: the mod's 360, four for armour, one for the off-hand."""

STACK: dict[str, int] = {
    **{f"{kind}_pickaxe": 1 for kind in ("wooden", "stone", "iron")},
    "snowball": 16,
    "egg": 16,
}
"""Largest count of one slot; 64 where not listed."""

USES: dict[str, int] = {
    "wooden_pickaxe": 60,
    "stone_pickaxe": 132,
    "iron_pickaxe": 251,
}
"""Uses of a tool, the one that breaks it included."""

BURN: dict[str, int] = {
    "coal": 1600,
    "log": 300,
    "log2": 300,
    "planks": 300,
    "crafting_table": 300,
    "chest": 300,
    "wooden_pickaxe": 200,
    "stick": 100,
    "sapling": 100,
}
"""Ticks that one piece of fuel burns."""

SMELT = 200
"""Ticks of fuel that smelting one piece takes."""

RECIPES: dict[str, tuple[tuple[tuple[str, ...], int], ...]] = {
    "planks": ((("log", "log2"), 1),),
    "stick": ((("planks",), 2),),
    "crafting_table": ((("planks",), 4),),
    "wooden_pickaxe": ((("planks",), 3), (("stick",), 2)),
    "stone_pickaxe": ((("cobblestone",), 3), (("stick",), 2)),
    "iron_pickaxe": ((("iron_ingot",), 3), (("stick",), 2)),
    "furnace": ((("cobblestone",), 8),),
}
"""Ingredients of each product: which items serve, and how many."""

YIELD: dict[str, int] = {"planks": 4, "stick": 4}
"""Pieces that one crafting makes; 1 where not listed."""

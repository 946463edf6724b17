# SPDX-License-Identifier: Apache-2.0
"""The 1,024 words that receipt codes are made of: short, plain, and each tells ten bits. Never change their order."""

from __future__ import annotations

from typing import Final

WORDS: Final = tuple(
    """
acorn actor album alley almanac almond amber anchor ankle anthem antler apple apricot apron aquarium arch arena
armchair arrow artist ash aspen asphalt atlas attic august autumn avenue aviary badge badger bagel bagpipe
bakery balcony ball balloon bamboo banana band bandage banjo bank banner barge barley barn barrel basil basin
basket bassoon bat bath battery bay beach bead beagle beaker beam bean bear beard beaver bed bee beet beetle
bell belt bench berry bicycle bike biplane birch bird biscuit blackbird blanket blossom blue blueberry board
boat bobbin bolt bone bonfire bonnet book bookcase boot bottle boulder boulevard bow bowl box bracelet bramble
branch brass bread breeze brick bridge broccoli bronze broom brother brown brush bubble bucket buckle bud
buffalo bugle bulb bumblebee bun bungalow bunny bus bush butter buttercup button cabbage cabin cable cactus cake
calendar camel camera camp camper canal canary candle canoe canvas canyon cap cape captain caravan card cardinal
cargo carpet carrot cart cashew castle cat catalog cauldron cedar celery cello cement cereal chain chair chalk
channel chapel chapter chariot cheese cherry chess chest chestnut chicken chimney chipmunk chorus cider cinema
cinnamon circle circus citrus city clarinet clay cliff clipper clock cloth cloud clover coach coal coast coat
cobbler cobweb cocoa coconut coffee coin collar comb comet comma compass condor cook cookie copper coral cord
cork corn corner corridor cottage cotton couch cousin cow crab cradle cranberry crane crayon cream creek cricket
crocus crown crystal cube cucumber cup cupboard curtain cushion cymbal daisy dance dandelion dawn decimal deck
deer denim desert desk diamond diary dinner dish doctor dog doll dolphin dolphinfish domino donkey door doorbell
dove dragon dragonfly drawer dress driftwood drizzle drum duck dune eagle ear earth easel east echo egg elbow
elderberry elephant elevator elk elm ember emerald engine envelope equator evening fabric falcon family farm
feast feather fence fern ferry festival fiddle fiddler field fig finch finger fir firefly fireplace fish flag
flame flamingo flannel flask flavor flax flea fleece flint float flock floor flour flower flute foam fog folder
footpath forest fork fossil fountain fox frame freckle freight frog frost fruit fudge funnel galaxy gallery
gallon gallop garage garden gardener garlic garnet gate gazebo gazelle gecko gem geranium ghost giant ginger
giraffe glacier glass globe glove goat goblet gold goldfish gondola goose gooseberry gourd grain granite grape
grass grasshopper gravel gravy green greenhouse grocery guitar gull gum gypsum hail hailstone hallway hamlet
hammer hammock hamster hand handle harbor harmonica harp harvest hat hawk hay haystack hazel hazelnut headlamp
heart hedge hedgehog heel helmet hen herb heron hexagon hickory hill hillside hinge hippo hive holiday honey
hood hook horizon horn hornet horse hotel hour house hurdle hyacinth ice iceberg icicle igloo iguana indigo ink
inlet iris iron island ivory ivy jackdaw jacket jade jam jar jasmine jay jeans jelly jellyfish jetty jewel
jigsaw jockey journal judge jug juice jungle juniper kangaroo kayak kernel kettle key keyhole kitchen kite
kitten kiwi knee knight knob knot koala label lace ladder lagoon lake lakeside lamb lamp lantern larch lark
laundry lava lavender lawn leaf leather lemon lentil leopard letter lettuce library lid light lighthouse lilac
lily lime limestone linden linen lion lizard llama lobby lobster locket log loom lotus lullaby lumber lunch
lupine lute lynx macaroni machine magnet magpie mailbox mammoth mandolin mango mantle maple marble march margin
marigold market marsh mask mast match mattress maze meadow meal medal meerkat melody melon melonseed menu
merchant mermaid metal meteor mill millstone mint minute mirror mist mitten moat mole monkey monsoon month moon
moose morning mosaic moss moth motor mountain mouse mouth muffin mug mule museum mushroom music mustard nail
napkin navy necklace needle neighbor nest net nickel night noodle noon north nose note notebook novel number
nurse nut nutmeg nutshell oak oar oasis oat ocean octopus office olive omelet onion onyx opal opera orange orbit
orchard orchid organ ostrich otter oval oven owl ox oyster paddle page pail paint palace palm pan pancake panda
panel pansy panther paper parade park parrot parsley pasta pastel pastry path patio pavement pea peach peacock
peanut pear pearl pebble pecan pedal pelican pen pencil penguin penny peony pepper perfume petal piano pickle
picnic picture pie pigeon pillar pillow pilot pine pink pipe pirate pitcher pizza planet plank plant plate plaza
plum plume pocket poem polish pollen pond pony pool popcorn poplar poppy porch porcupine port postcard pot
potato pottery powder prairie present prince prism pudding puddle puffin pulley pumpkin pupil puppet puppy
purple purse puzzle quail quartz queen quill quilt quiz rabbit raccoon radar radio radish raft rail rain rainbow
raisin rake ranch raspberry raven recipe record reed reef reindeer ribbon rice riddle ring river road robin
robot rock rocket roof room root rope rose rowboat ruby rug ruler saddle sail sailor salad salmon salt sand
sandal satchel satin sauce saucer scarf school science scissors scooter scout screen sea seal season seat second
seed shadow shark sheep shelf shell shepherd shield ship shirt shoe shore shovel shower signal silk silver
singer sister skate sketch ski skirt sky slate sled sleeve slipper snail snow soap sock sofa soil sonnet soup
south spade sparrow spice spider spinach spiral sponge spoon spring spruce square squash squid squirrel stable
stadium stage stair stamp star starfish statue steam steel stem step stone stool stork storm story stove straw
stream street string studio suitcase summer sun sunrise sunset supper surf swallow swamp swan sweater swing
syrup table tablet tailor tambourine tango tapestry target tart taxi tea teacher teapot tent terrace thimble
thistle thread throne thumb thunder ticket tide tiger tile timber tin toad toast toe tomato tongue tooth torch
tortoise towel tower toy tractor trail train tram travel tray treasure tree triangle trolley trophy trout truck
trumpet trunk tulip tuna tundra tunnel turkey turnip turtle tutor tweed twig twin umbrella uncle unicorn uniform
valley vanilla vase vault velvet verse vest vine vinegar violet violin visitor voice volcano voyage waffle wagon
waist wall walnut walrus waltz wand watch water wave wax weather weaver web whale wheat wheel whistle willow
wind window winter wizard wolf wood wool word workshop world wreath wren yacht yard yarn year yellow yoga yogurt
zebra zenith zinc zipper zone
""".split()  # noqa: SIM905  # a literal of a thousand words is not read
)

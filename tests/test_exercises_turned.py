"""A learner's own checks are judged by what they let through."""

import numpy as np

import saelib
from saelib.exercises import check_gradient_check, check_sampler_tests


def whole(J, gradient, theta):
    return saelib.relative_error(saelib.numerical_gradient(J, theta), gradient(theta)) < 1e-6


def test_a_gradient_check_that_compares_everything_is_right():
    assert all(check_gradient_check(whole, seed=seed).correct for seed in range(3))


def test_a_check_of_the_last_entry_lets_through_what_does_not_touch_it():
    def last_entry(J, gradient, theta):
        numerical, own = saelib.numerical_gradient(J, theta)[-1], gradient(theta)[-1]
        return abs(numerical - own) < 1e-6 * abs(own)

    verdict = check_gradient_check(last_entry, seed=0)
    assert {"tied", "outside-bracket", "decay-missing"} <= set(verdict.mistakes)
    assert "not-averaged" not in verdict.mistakes
    assert "wrong ones through" in str(verdict)


def test_a_check_that_asks_too_much_refuses_the_right_one():
    def exact(J, gradient, theta):
        return bool(np.all(saelib.numerical_gradient(J, theta) == gradient(theta)))

    assert check_gradient_check(exact, seed=0).mistakes == ("right-refused",)


def test_a_check_that_gives_no_answer_is_told_so():
    assert check_gradient_check(lambda J, g, t: None).mistakes == ("not-a-verdict",)
    assert check_gradient_check(3).mistakes == ("not-a-function",)

    def stub(J, gradient, theta):
        raise NotImplementedError

    assert not check_gradient_check(stub).written


def by_coordinates(sample_patches):
    """Test a sampler on images whose pixels are all different."""
    images = [np.arange(20.0).reshape(4, 5), 100 + np.arange(20.0).reshape(5, 4)]
    patches = sample_patches(images, 300, 3, 1)
    if not np.array_equal(patches, sample_patches(images, 300, 3, 1)):
        return False
    if np.array_equal(patches, sample_patches(images, 300, 3, 2)):
        return False
    wanted = {
        tuple(image[r : r + 3, c : c + 3].ravel())
        for image in images
        for r in range(image.shape[0] - 2)
        for c in range(image.shape[1] - 2)
    }
    return {tuple(patch) for patch in patches} == wanted


def test_tests_that_list_all_places_let_nothing_through():
    assert check_sampler_tests(by_coordinates).correct


def test_tests_of_the_shape_alone_let_nearly_all_through():
    verdict = check_sampler_tests(lambda draw: draw([np.eye(9)], 4, 2, 0).shape == (4, 4))
    assert len(verdict.mistakes) >= 8
